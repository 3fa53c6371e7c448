<?php

declare(strict_types=1);

namespace Plasm\Json;

/**
 * What is asked of strings in more than one place.
 *
 * @internal
 */
final class Text
{
    /** How many characters of a stranger's string a message shows. */
    private const SHOWN = 72;

    private function __construct()
    {
    }

    /** Whether $s is UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
    public static function isUtf8(string $s): bool
    {
        return preg_match('//u', $s) === 1;
    }

    /** Whether $s is UTF-8 without NUL: what an argument may be. */
    public static function isArgument(string $s): bool
    {
        return !str_contains($s, "\0") && self::isUtf8($s);
    }

    /** Whether $s is 1 to 32 of a-z, 0-9 and, where $dash, "-". */
    public static function isName(string $s, bool $dash): bool
    {
        return preg_match($dash ? '/^[a-z0-9-]{1,32}$/D' : '/^[a-z0-9]{1,32}$/D', $s) === 1;
    }

    /** Whether $s is 1 to 64 printable ASCII characters without spaces. */
    public static function isVersion(string $s): bool
    {
        return preg_match('/^[\x21-\x7e]{1,64}$/D', $s) === 1;
    }

    /** $s in double quotes, on one line, what isn't printable escaped, and no more than 72 characters of it. */
    public static function quote(string $s): string
    {
        if (self::isUtf8($s)) {
            $cut = preg_match('/^.{0,' . self::SHOWN . '}/us', $s, $m) === 1 ? $m[0] : '';
            $hide = '/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}|["\\\\]/u';
        } else {
            $cut = substr($s, 0, self::SHOWN);
            $hide = '/[^\x20-\x7e]|["\\\\]/';
        }
        $escape = static fn (array $m): string => $m[0] === '"' || $m[0] === '\\'
            ? '\\' . $m[0] : '\\x' . implode('\\x', str_split(bin2hex($m[0]), 2));
        return '"' . preg_replace_callback($hide, $escape, $cut) . ($cut === $s ? '"' : '…"');
    }

    /** $s on one line, without control characters, valid UTF-8, and at most $max bytes of it. */
    public static function line(string $s, int $max = 500): string
    {
        $cut = strlen($s) > $max;
        $s = substr($s, 0, $max);
        if (!self::isUtf8($s)) {
            // A cut may have gone through a character, which is not worth a question mark.
            $s = (string) preg_replace('/[^\x20-\x7e]+$/D', '', $s);
            $s = self::isUtf8($s) ? $s : (string) preg_replace('/[^\x20-\x7e]+/', '?', $s);
        }
        $s = trim((string) preg_replace('/[\x00-\x1f\x7f]+|\xc2[\x80-\x9f]/', ' ', $s));
        return $cut ? $s . '…' : $s;
    }
}
