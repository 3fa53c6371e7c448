<?php

declare(strict_types=1);

namespace Plasm;

/**
 * One name in a {@see Tree}.
 */
final class TreeEntry
{
    /**
     * @param string  $path       relative to the tree, parts separated by slashes
     * @param string  $type       "dir", "file" or "link", which is a symbolic link
     * @param int     $size       of a file: bytes, 0 to 2^53-1
     * @param ?string $digest     of a file: that of its content
     * @param bool    $executable of a file: whether its owner may execute it
     * @param ?string $target     of a link: where it leads
     *
     * @internal
     */
    public function __construct(
        public readonly string $path,
        public readonly string $type,
        public readonly int $size = 0,
        public readonly ?string $digest = null,
        public readonly bool $executable = false,
        public readonly ?string $target = null,
    ) {
    }
}
