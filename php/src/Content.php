<?php

declare(strict_types=1);

namespace Plasm;

/**
 * What the caller has of a stream: its digest and its length, so that a stream
 * of any size can be compared.
 */
final class Content
{
    /**
     * @param string $digest "sha256:" and 64 hex digits
     * @param int    $bytes  the length
     */
    public function __construct(public readonly string $digest, public readonly int $bytes)
    {
    }

    /** The content that $bytes are. */
    public static function of(string $bytes): self
    {
        return new self(Digest::of($bytes), strlen($bytes));
    }

    /**
     * The content of a file, read in constant memory.
     *
     * @throws Exception\InvalidArgumentException when it can't be read
     */
    public static function ofFile(string $path): self
    {
        $digest = Digest::ofFile($path);
        clearstatcache(true, $path);
        return new self($digest, (int) filesize($path));
    }
}
