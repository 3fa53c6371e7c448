<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\InvalidArgumentException;

/**
 * Digests name bytes by what they are: "sha256:" and 64 lower-case hex digits.
 */
final class Digest
{
    /** The digest of no bytes at all. */
    public const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

    private function __construct()
    {
    }

    /** Whether $s is written as a digest must be. */
    public static function isValid(string $s): bool
    {
        return preg_match('/^sha256:[0-9a-f]{64}$/D', $s) === 1;
    }

    /** The digest of $bytes. */
    public static function of(string $bytes): string
    {
        return 'sha256:' . hash('sha256', $bytes);
    }

    /**
     * The digest of what a file holds, read in constant memory.
     *
     * @throws InvalidArgumentException when it can't be read
     */
    public static function ofFile(string $path): string
    {
        $hex = is_file($path) ? @hash_file('sha256', $path) : false;
        if ($hex === false) {
            throw new InvalidArgumentException('cannot be read: ' . Json\Text::quote($path));
        }
        return "sha256:$hex";
    }
}
