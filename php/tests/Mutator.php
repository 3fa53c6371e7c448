<?php

declare(strict_types=1);

namespace Plasm\Tests;

/**
 * Changes valid envelopes at random, in ways that get past the first checks: most
 * changes are made to what is signed, and signed again.
 */
final class Mutator
{
    /** What stands in place of a value, a name or some bytes. */
    private const TOKENS = [
        'null', 'true', 'false', '0', '-0', '1', '-1', '01', '1.0', '1e3', '9007199254740991', '9007199254740992',
        '-9007199254740991', '18446744073709551616', '""', '"\u0000"', '"\ud800"', '"\ud83d\ude00"', '"\/"', '"\x"',
        '[]', '{}', '[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]', '"exit"', '"trap"', '"timeout"', '"unreachable"', '"2"',
        '"0000-02-29T00:00:00.000Z"', '"2026-02-30T00:00:00.000Z"', '"2026-01-01T00:00:00,000Z"', '"seccomp"',
        '4294967295', '4294967296', '"/"', '"a=b"', '"ſeed"', '"wazero"', '"WAZERO"', '{"a":"b"}', '{"":"b"}', '["a"]',
        '"12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo"',
        '"12D3KooW11111111111111111111111111111111111111111111"',
    ];
    private const BYTES = ["\0", "\t", "\n", ' ', '"', '\\', ',', ':', '{', '}', '[', ']', "\x7f", "\x80", "\xc0",
        "\xed\xa0\x80", "\xf4\x90\x80\x80", "\u{2028}", "\xef\xbb\xbf", '=', '+', '-', '0', 'A'];

    /** @var list<string> secret keys of the node, of somebody else, and of the requester */
    private array $secrets = [];

    public function __construct(int $seed)
    {
        mt_srand($seed);
        foreach (["\1", "\2", "\3"] as $byte) {
            $pair = sodium_crypto_sign_seed_keypair($byte . str_repeat("\0", 31));
            $this->secrets[] = sodium_crypto_sign_secretkey($pair);
        }
    }

    /** One mutation of a valid envelope. */
    public function mutate(string $envelope): string
    {
        $kind = mt_rand(0, 9);
        if ($kind < 2) {
            return $this->spoil($envelope);
        }
        if ($kind < 3) {
            return $this->exchange($envelope);
        }
        $e = json_decode($envelope, true);
        $payload = (string) base64_decode($e['payload'], true);
        if ($kind < 8) {
            for ($n = mt_rand(1, 3); $n > 0; $n--) {
                $payload = $kind < 5 ? $this->spoil($payload) : $this->exchange($payload);
            }
            // Sometimes signed by another key, twice, or not again.
            $secrets = mt_rand(0, 9) > 0 ? [$this->secrets[0]] : array_slice($this->secrets, 0, mt_rand(0, 3));
            shuffle($secrets);
            $e['payload'] = base64_encode($payload);
            $sign = fn (string $s): array => ['sig' => base64_encode(sodium_crypto_sign_detached(
                'DSSEv1 28 application/vnd.in-toto+json ' . strlen($payload) . " $payload",
                $s,
            ))];
            $e['signatures'] = array_map($sign, $secrets);
        } elseif ($kind < 9) {
            $sig = (string) base64_decode($e['signatures'][0]['sig'], true);
            $e['signatures'][0]['sig'] = base64_encode($this->spoil($sig));
        } else {
            $member = mt_rand(0, 1) === 0 ? 'payload' : 'signature';
            $member === 'payload'
                ? $e['payload'] = $this->spoilBase64($e['payload'])
                : $e['signatures'][0]['sig'] = $this->spoilBase64($e['signatures'][0]['sig']);
        }
        return json_encode($e, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR);
    }

    /** Changes some bytes. */
    private function spoil(string $s): string
    {
        $at = mt_rand(0, max(0, strlen($s) - 1));
        $length = mt_rand(1, 8);
        return match (mt_rand(0, 5)) {
            0 => substr_replace($s, chr(ord($s[$at] ?? ' ') ^ 1 << mt_rand(0, 7)), $at, 1),
            1 => substr_replace($s, '', $at, $length),
            2 => substr_replace($s, self::BYTES[mt_rand(0, count(self::BYTES) - 1)], $at, mt_rand(0, 1)),
            3 => substr_replace($s, substr($s, $at, $length), $at, 0),
            4 => substr_replace($s, substr($s, mt_rand(0, strlen($s)), $length), $at, $length),
            default => substr($s, 0, mt_rand(0, 3) === 0 ? $at : strlen($s)) . (mt_rand(0, 1) === 0 ? ' ' : ''),
        };
    }

    /** Exchanges, removes or repeats a value or a member, so that what comes out is often JSON. */
    private function exchange(string $json): string
    {
        $token = self::TOKENS[mt_rand(0, count(self::TOKENS) - 1)];
        $scalar = '(?:"(?:[^"\\\\]|\\\\.)*"|-?\d+|true|false)';
        // What to look for, and what one of the places gets.
        [$form, $change] = match (mt_rand(0, 6)) {
            0, 1, 2 => ["/(?<=[:\\[,])$scalar(?=[,\\]}])/", static fn (): string => $token],
            3 => ["/\"\\w+\":$scalar,/", static fn (): string => ''],
            4 => ["/\"\\w+\":$scalar,/", static fn (string $member): string => $member . $member],
            5 => ['/(?<=[{,]")\w(?=\w*":)/', static fn (string $letter): string => mt_rand(0, 1) === 0
                ? sprintf('\\u%04x', ord($letter)) : strtoupper($letter)],
            default => ['/(?<=[{,])(?=")/', static fn (): string => "\"x\":$token,"],
        };
        $n = preg_match_all($form, $json, $places, PREG_OFFSET_CAPTURE);
        if ($n === 0 || $n === false) {
            return $this->spoil($json);
        }
        [$found, $at] = $places[0][mt_rand(0, $n - 1)];
        return substr_replace($json, $change($found), $at, strlen($found));
    }

    private function spoilBase64(string $s): string
    {
        return match (mt_rand(0, 5)) {
            0 => rtrim($s, '='),
            1 => "$s=",
            2 => substr_replace($s, "\n", mt_rand(0, strlen($s)), 0),
            3 => strtr($s, '+/', '-_'),
            4 => (string) preg_replace_callback('/.(=+)$/', static fn (array $m): string => 'B' . $m[1], $s),
            default => substr_replace($s, chr(mt_rand(32, 126)), mt_rand(0, strlen($s) - 1), 1),
        };
    }
}
