<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\InvalidArgumentException;

/**
 * Peer IDs name keys: base58 (Bitcoin's alphabet) over six fixed bytes and the
 * 32 of an Ed25519 public key, as libp2p prints them. They always begin with
 * 12D3KooW, have 52 characters, and one spelling.
 */
final class PeerId
{
    private const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
    private const LENGTH = 52;
    /** multihash: identity, 36 bytes; protobuf: key type Ed25519, 32 bytes of key. */
    private const PREFIX = "\x00\x24\x08\x01\x12\x20";
    /** Characters taken at a time: 58^5 times a 32-bit limb is still a PHP integer. */
    private const GROUP = 5;

    private function __construct()
    {
    }

    /** Whether $id is spelled as a peer ID; that it names a key is for {@see key()} to say. */
    public static function isSpelled(string $id): bool
    {
        return strlen($id) === self::LENGTH && str_starts_with($id, '12D3KooW')
            && strspn($id, self::ALPHABET) === self::LENGTH;
    }

    /**
     * The 32 bytes of the Ed25519 public key that $id names.
     *
     * @throws InvalidArgumentException when it is not a peer ID
     */
    public static function key(string $id): string
    {
        $raw = self::isSpelled($id) ? self::decode($id) : null;
        if ($raw === null || !str_starts_with($raw, self::PREFIX)) {
            throw new InvalidArgumentException(
                Json\Text::quote($id) . ' is not a peer ID: must be 12D3KooW… and 52 characters in all',
            );
        }
        return substr($raw, strlen(self::PREFIX));
    }

    /** The peer ID of an Ed25519 public key of 32 bytes. */
    public static function ofKey(string $key): string
    {
        if (strlen($key) !== SODIUM_CRYPTO_SIGN_PUBLICKEYBYTES) {
            throw new InvalidArgumentException('an Ed25519 public key has 32 bytes, not ' . strlen($key));
        }
        // The first byte is 0, which base58 writes as a 1 of its own.
        $limbs = array_values((array) unpack('N*', "\0\0\0" . substr(self::PREFIX, 1) . $key));
        $id = '';
        for ($i = 0; $i < self::LENGTH - 1; $i += self::GROUP) {
            $rest = 0;
            foreach ($limbs as $j => $limb) {
                $rest = $rest << 32 | $limb;
                $limbs[$j] = intdiv($rest, 58 ** self::GROUP);
                $rest %= 58 ** self::GROUP;
            }
            for ($j = 0; $j < self::GROUP; $j++, $rest = intdiv($rest, 58)) {
                $id = self::ALPHABET[$rest % 58] . $id;
            }
        }
        return '1' . ltrim($id, '1');
    }

    /** The 38 bytes behind 52 characters of base58 that begin with one 1, or null when they are more. */
    private static function decode(string $id): ?string
    {
        $limbs = array_fill(0, 10, 0); // the least significant first
        for ($i = 0; $i < self::LENGTH; $i += self::GROUP) {
            $group = substr($id, $i, self::GROUP);
            $carry = 0;
            foreach (str_split($group) as $c) {
                $carry = $carry * 58 + (int) strpos(self::ALPHABET, $c);
            }
            foreach ($limbs as $j => $limb) {
                $carry += $limb * 58 ** strlen($group);
                $limbs[$j] = $carry & 0xFFFFFFFF;
                $carry >>= 32;
            }
        }
        $bytes = pack('N*', ...array_reverse($limbs));
        return str_starts_with($bytes, "\0\0\0\x24") ? substr($bytes, 2) : null;
    }
}
