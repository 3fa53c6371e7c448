<?php

declare(strict_types=1);

namespace Plasm\Json;

use Plasm\Exception\DocumentException;

/**
 * Reads documents in the one JSON profile, which is stricter than json_decode():
 * that takes the last of two equal names, rounds large integers, and doesn't
 * tell {} from []. A signed document must mean one thing to everybody.
 *
 * A document is read if, and only if, it is UTF-8 without a byte order mark;
 * one value (RFC 8259) with nothing but white space around it; no name is twice
 * in an object, after unescaping; there is no null; numbers are written 0 or
 * -?[1-9][0-9]* and lie within ±(2^53-1); no string has an unpaired surrogate;
 * arrays and objects nest at most 16 deep.
 */
final class Scanner
{
    public const MAX_DEPTH = 16;
    public const MAX_INT = 9007199254740991;

    private const SPACE = " \t\n\r";
    /** What ends a run of plain characters in a string. */
    private const SPECIAL = "\"\\\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
        . "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f";
    private const ESCAPES = [
        '"' => '"', '\\' => '\\', '/' => '/', 'b' => "\x08", 'f' => "\x0c", 'n' => "\n", 'r' => "\r", 't' => "\t",
    ];

    private int $pos = 0;
    private int $depth = 0;
    /** Whether all of the document is UTF-8: then so is each string. */
    private bool $utf8 = false;
    /** @var array<array-key, array{int, int}> where the values of the outermost object's members begin and end */
    private array $spans = [];

    private function __construct(private readonly string $json)
    {
    }

    /**
     * Reads one document.
     *
     * @return JsonObject|list<mixed>|string|int|bool objects are {@see JsonObject}, arrays are lists
     *
     * @throws DocumentException with a rule of the profile, and the place
     */
    public static function parse(string $json): JsonObject|array|string|int|bool
    {
        return (new self($json))->document();
    }

    /**
     * Reads one document, and says where in it the values of the outermost
     * object's members stand: the offset of the first byte, and of the one behind
     * the last.
     *
     * @return array{JsonObject|list<mixed>|string|int|bool, array<array-key, array{int, int}>}
     *
     * @throws DocumentException as {@see parse()}
     */
    public static function parseWithPlaces(string $json): array
    {
        $s = new self($json);
        return [$s->document(), $s->spans];
    }

    /** @return JsonObject|list<mixed>|string|int|bool */
    private function document(): JsonObject|array|string|int|bool
    {
        if (str_starts_with($this->json, "\xEF\xBB\xBF")) {
            throw $this->fail(Rule::Bom, 'a byte order mark');
        }
        $this->utf8 = Text::isUtf8($this->json);
        $value = $this->value();
        if ($this->space() !== '') {
            throw $this->fail(Rule::Trailing, 'something after the value: ' . $this->shown());
        }
        return $value;
    }

    private function fail(Rule $rule, string $what, ?int $at = null): DocumentException
    {
        return DocumentException::at($at ?? $this->pos, $rule, $what);
    }

    /** Skips white space and returns the byte that follows, unconsumed, or "" at the end. */
    private function space(): string
    {
        $this->pos += strspn($this->json, self::SPACE, $this->pos);
        return $this->json[$this->pos] ?? '';
    }

    /** The same where something must follow. */
    private function next(string $what): string
    {
        $c = $this->space();
        if ($c === '') {
            throw $this->fail(Rule::Truncated, "ends where $what should be");
        }
        return $c;
    }

    /** The next byte as a message shows it. */
    private function shown(): string
    {
        $c = $this->json[$this->pos];
        return $c > ' ' && $c < "\x7f" ? "'$c'" : sprintf('byte 0x%02x', ord($c));
    }

    private function wrong(string $what): DocumentException
    {
        return $this->fail(Rule::Syntax, $this->shown() . " where $what should be");
    }

    /** @return JsonObject|list<mixed>|string|int|bool */
    private function value(): JsonObject|array|string|int|bool
    {
        $c = $this->next('a value');
        switch ($c) {
            case '"':
                return $this->text();
            case '{':
                return $this->object();
            case '[':
                return $this->array();
            case 't':
                $this->literal('true');
                return true;
            case 'f':
                $this->literal('false');
                return false;
            case 'n':
                $at = $this->pos;
                $this->literal('null');
                throw $this->fail(Rule::Null, 'null, which no document has', $at);
        }
        if ($c === '-' || ($c >= '0' && $c <= '9')) {
            return $this->number();
        }
        throw $this->wrong('a value');
    }

    private function literal(string $word): void
    {
        $length = strlen($word);
        for ($i = 0; $i < $length; $i++, $this->pos++) {
            $c = $this->json[$this->pos] ?? '';
            if ($c === '') {
                throw $this->fail(Rule::Truncated, "ends where the rest of $word should be");
            }
            if ($c !== $word[$i]) {
                throw $this->wrong("the rest of $word");
            }
        }
    }

    private function number(): int
    {
        $at = $this->pos;
        $negative = $this->json[$at] === '-' ? 1 : 0;
        $digits = strspn($this->json, '0123456789', $at + $negative);
        $this->pos += $negative + $digits;
        $after = $this->json[$this->pos] ?? '';
        if ($digits === 0) {
            throw $this->fail(Rule::Number, 'a minus sign without a number', $at);
        }
        if ($digits > 1 && $this->json[$at + $negative] === '0') {
            throw $this->fail(Rule::Number, 'a number with a leading zero', $at);
        }
        if ($after === '.' || $after === 'e' || $after === 'E') {
            throw $this->fail(Rule::Number, 'a number with a fraction or an exponent', $at);
        }
        // 16 digits are an exact PHP integer; more are beyond the range anyhow.
        $n = $digits > 16 ? PHP_INT_MAX : (int) substr($this->json, $at + $negative, $digits);
        if ($n > self::MAX_INT) {
            throw $this->fail(Rule::NumberRange, 'an integer beyond ±(2^53-1)', $at);
        }
        if ($negative === 1 && $n === 0) {
            throw $this->fail(Rule::Number, 'minus zero', $at);
        }
        return $negative === 1 ? -$n : $n;
    }

    private function enter(): void
    {
        if ($this->depth === self::MAX_DEPTH) {
            throw $this->fail(Rule::Depth, 'nested more than ' . self::MAX_DEPTH . ' deep');
        }
        $this->depth++;
        $this->pos++;
    }

    /** Reads what follows an element: true for a comma, false for the end. */
    private function more(string $end): bool
    {
        $c = $this->next("a comma or $end");
        if ($c !== ',' && $c !== $end) {
            throw $this->wrong("a comma or $end");
        }
        $this->pos++;
        if ($c === $end) {
            $this->depth--;
        }
        return $c === ',';
    }

    /** @return list<mixed> */
    private function array(): array
    {
        $this->enter();
        $list = [];
        if ($this->space() === ']') {
            $this->more(']');
            return $list;
        }
        do {
            $list[] = $this->value();
        } while ($this->more(']'));
        return $list;
    }

    private function object(): JsonObject
    {
        $this->enter();
        $members = [];
        if ($this->space() === '}') {
            $this->more('}');
            return new JsonObject($members);
        }
        do {
            if ($this->next('a member name') !== '"') {
                throw $this->wrong('a member name');
            }
            $at = $this->pos;
            $name = $this->text();
            if (array_key_exists($name, $members)) {
                throw $this->fail(Rule::RepeatedName, 'member name repeated: ' . Text::quote($name), $at);
            }
            if ($this->next('a colon') !== ':') {
                throw $this->wrong('a colon');
            }
            $this->pos++;
            $this->next('a value');
            $begin = $this->pos;
            $members[$name] = $this->value();
            if ($this->depth === 1) {
                $this->spans[$name] = [$begin, $this->pos];
            }
        } while ($this->more('}'));
        return new JsonObject($members);
    }

    /** Reads a string, whose opening quote is the next byte, and returns it unescaped. */
    private function text(): string
    {
        $at = $this->pos++;
        $length = strcspn($this->json, self::SPECIAL, $this->pos);
        $text = substr($this->json, $this->pos, $length);
        $this->pos += $length;
        while (($c = $this->json[$this->pos] ?? '') !== '"') {
            if ($c === '') {
                throw $this->fail(Rule::Truncated, 'ends where the end of a string should be');
            }
            if ($c !== '\\') {
                throw $this->fail(Rule::Control, sprintf('control character 0x%02x in a string', ord($c)));
            }
            $text .= $this->escape();
            $length = strcspn($this->json, self::SPECIAL, $this->pos);
            $text .= substr($this->json, $this->pos, $length);
            $this->pos += $length;
        }
        $this->pos++;
        // Escapes stand for whole characters, so they can't complete a broken one.
        if (!$this->utf8 && !Text::isUtf8($text)) {
            throw $this->fail(Rule::Utf8, 'a string that is not UTF-8', $at);
        }
        return $text;
    }

    /** Reads an escape, whose backslash is the next byte. */
    private function escape(): string
    {
        $at = $this->pos++;
        $c = $this->byte('the rest of an escape');
        $this->pos++;
        if ($c !== 'u') {
            return self::ESCAPES[$c] ?? throw $this->fail(Rule::Escape, 'unknown escape in a string', $at);
        }
        $code = $this->hex4($at);
        if ($code >= 0xD800 && $code <= 0xDFFF) {
            $code = $this->pair($code, $at);
        }
        return self::utf8($code);
    }

    private function byte(string $what): string
    {
        return $this->json[$this->pos] ?? throw $this->fail(Rule::Truncated, "ends where $what should be");
    }

    /** Reads the second half of a surrogate pair. */
    private function pair(int $high, int $at): int
    {
        foreach (['\\', 'u'] as $want) {
            if ($this->byte('the second half of a surrogate pair') !== $want) {
                throw $this->fail(Rule::Surrogate, 'unpaired surrogate in a string', $at);
            }
            $this->pos++;
        }
        $low = $this->hex4($at);
        if ($high > 0xDBFF || $low < 0xDC00 || $low > 0xDFFF) {
            throw $this->fail(Rule::Surrogate, 'unpaired surrogate in a string', $at);
        }
        return 0x10000 + (($high - 0xD800) << 10) + ($low - 0xDC00);
    }

    private function hex4(int $at): int
    {
        $code = 0;
        for ($i = 0; $i < 4; $i++, $this->pos++) {
            $c = $this->byte('the rest of an escape');
            if (!ctype_xdigit($c)) {
                throw $this->fail(Rule::Escape, '\\u without four hexadecimal digits', $at);
            }
            $code = $code << 4 | (int) hexdec($c);
        }
        return $code;
    }

    /** The UTF-8 of a code point that is not a surrogate. */
    private static function utf8(int $code): string
    {
        return match (true) {
            $code < 0x80 => chr($code),
            $code < 0x800 => chr(0xC0 | $code >> 6) . chr(0x80 | $code & 0x3F),
            $code < 0x10000 => chr(0xE0 | $code >> 12) . chr(0x80 | $code >> 6 & 0x3F) . chr(0x80 | $code & 0x3F),
            default => chr(0xF0 | $code >> 18) . chr(0x80 | $code >> 12 & 0x3F)
                . chr(0x80 | $code >> 6 & 0x3F) . chr(0x80 | $code & 0x3F),
        };
    }
}
