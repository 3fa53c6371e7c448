<?php

declare(strict_types=1);

namespace Plasm;

/**
 * A travelling folder as the program has left it.
 */
final class OutcomeDir
{
    /**
     * @param string $guest path in the program
     * @param string $tree  digest of the {@see Tree} that it has become
     * @param int    $files how many files are in it, 0 to 100000
     * @param int    $bytes how many bytes these have together, 0 to 2^53-1
     *
     * @internal
     */
    public function __construct(
        public readonly string $guest,
        public readonly string $tree,
        public readonly int $files,
        public readonly int $bytes,
    ) {
    }

    /** @internal */
    public static function fromFields(Json\Fields $f): self
    {
        return new self(
            guest: Dir::guestFrom($f),
            tree: $f->digest('tree'),
            files: $f->int('files', 0, Tree::MAX_ENTRIES),
            bytes: $f->int('bytes', 0, Json\Scanner::MAX_INT),
        );
    }
}
