<?php

declare(strict_types=1);

namespace Plasm;

/**
 * A folder of this machine that was made of what a program has left, see
 * {@see Job::out()}.
 */
final class Folder
{
    /**
     * @param string $guest path in the program
     * @param string $path  the folder that was made of it
     * @param Tree   $tree  what is in it: read after it was made, and what the receipt says
     * @param int    $files how many files are in it, as the receipt says
     * @param int    $bytes how many bytes these have together, likewise
     *
     * @internal
     */
    public function __construct(
        public readonly string $guest,
        public readonly string $path,
        public readonly Tree $tree,
        public readonly int $files,
        public readonly int $bytes,
    ) {
    }
}
