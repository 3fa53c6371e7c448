<?php

declare(strict_types=1);

namespace Plasm\Json;

/**
 * Base64 in its one spelling: RFC 4648 section 4, padded, without line breaks,
 * the unused bits of the last group zero.
 *
 * @internal
 */
final class Base64
{
    private const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

    private function __construct()
    {
    }

    /** The bytes that $s stands for, or null when it isn't written as it must be. */
    public static function decode(string $s): ?string
    {
        $length = strlen($s);
        $plain = strspn($s, self::ALPHABET);
        $padding = $length - $plain;
        if ($length % 4 !== 0 || $padding > 2 || substr($s, $plain) !== str_repeat('=', $padding)) {
            return null;
        }
        // The last digit before one "=" has 2 unused bits, before two it has 4.
        if ($padding > 0 && strpos(self::ALPHABET, $s[$plain - 1]) % 4 ** $padding !== 0) {
            return null;
        }
        $bytes = base64_decode($s, true);
        return $bytes === false ? null : $bytes;
    }
}
