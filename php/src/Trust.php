<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\InvalidArgumentException;
use Plasm\Json\Base64;
use Plasm\Json\Text;

/**
 * Whose word counts: the nodes whose signature under a receipt is believed. Only
 * the caller says so; nothing in or around a receipt ever does, and there is no
 * default. Immutable.
 */
final class Trust
{
    /** The most bytes of a trust file, some 20,000 peers. */
    private const MAX_FILE = 1048576;
    /** The most bytes of a PEM file; a real one has 113. */
    private const MAX_PEM = 16384;
    /** What stands before the 32 bytes of an Ed25519 key in its SPKI encoding (RFC 8410). */
    private const SPKI = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

    /** @param array<string, string> $keys public keys of 32 bytes, by peer ID */
    private function __construct(private readonly array $keys)
    {
    }

    /**
     * Trusts these nodes.
     *
     * @throws InvalidArgumentException when one is not a peer ID; the word "any" isn't
     */
    public static function peers(string ...$ids): self
    {
        $keys = [];
        foreach ($ids as $id) {
            $keys[$id] = $id === 'any' ? throw self::any('') : PeerId::key($id);
        }
        return new self($keys);
    }

    /**
     * Trusts the node with this public key.
     *
     * @param string $pem exactly one block "PUBLIC KEY", Ed25519, as `openssl pkey -pubout` writes it
     *
     * @throws InvalidArgumentException when it is anything else
     */
    public static function pem(string $pem): self
    {
        $form = '/^\s*-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+\/=\r\n]+)-----END PUBLIC KEY-----\s*$/D';
        if (strlen($pem) > self::MAX_PEM || preg_match($form, $pem, $match) !== 1) {
            $has = str_contains($pem, 'PRIVATE KEY') ? 'holds a private key' : 'is not one PEM block PUBLIC KEY';
            throw new InvalidArgumentException("the key $has; a public one is needed (openssl pkey -pubout)");
        }
        $der = Base64::decode((string) preg_replace('/\s+/', '', $match[1])) ?? '';
        if (!str_starts_with($der, self::SPKI) || strlen($der) !== strlen(self::SPKI) + 32) {
            throw new InvalidArgumentException('the PEM block does not hold an Ed25519 key, or a damaged one');
        }
        $key = substr($der, strlen(self::SPKI));
        return new self([PeerId::ofKey($key) => $key]);
    }

    /**
     * Trusts the nodes in a file: a line is a peer ID, which a name and then addresses
     * may follow; "#" begins a comment at the start of a line or after white space. Names
     * and addresses are checked and not kept.
     *
     * @throws InvalidArgumentException when it can't be read, or a line says something else; the word "any" does
     */
    public static function file(string $path): self
    {
        $text = is_file($path) ? @file_get_contents($path, false, null, 0, self::MAX_FILE + 1) : false;
        if ($text === false) {
            throw new InvalidArgumentException('cannot be read: ' . Text::quote($path));
        }
        $name = Text::line($path, 200);
        if (strlen($text) > self::MAX_FILE || !Text::isUtf8($text)) {
            throw new InvalidArgumentException("$name: is not a list of peers of at most " . self::MAX_FILE . ' bytes');
        }
        $keys = [];
        $names = [];
        foreach (explode("\n", $text) as $i => $line) {
            $line = (string) preg_replace('/(^|[ \t])#.*/s', '', $line);
            $words = preg_split('/[ \t\r]+/', $line, -1, PREG_SPLIT_NO_EMPTY) ?: [];
            if ($words === []) {
                continue;
            }
            $where = "$name:" . ($i + 1) . ': ';
            if ($words === ['any']) {
                throw self::any($where);
            }
            try {
                $keys[$words[0]] = PeerId::key($words[0]);
                if (isset($words[1])) {
                    self::name($words[0], $words[1], $names);
                    self::addresses($words[0], array_slice($words, 2));
                }
            } catch (InvalidArgumentException $e) {
                throw new InvalidArgumentException($where . $e->getMessage(), 0, $e);
            }
        }
        return new self($keys);
    }

    /**
     * Notes the name of a peer.
     *
     * @param array<string, string> $names peer IDs by name
     *
     * @throws InvalidArgumentException when it is none, or somebody else's, or the peer has another
     */
    private static function name(string $id, string $name, array &$names): void
    {
        if ($name === 'any' || preg_match('~^[a-z0-9][a-z0-9._/-]{0,63}$~D', $name) !== 1) {
            throw new InvalidArgumentException(
                Text::quote($name) . ' is no name: up to 64 of a-z, 0-9, and after the first . _ / -',
            );
        }
        if (($names["=$name"] ?? $id) !== $id) {
            throw new InvalidArgumentException("another peer has the name $name already");
        }
        $other = array_search($id, $names, true);
        if ($other !== false && $other !== "=$name") {
            throw new InvalidArgumentException('this peer has the name ' . substr($other, 1) . ' already');
        }
        $names["=$name"] = $id;
    }

    /**
     * Checks the addresses of a peer.
     *
     * @param list<string> $addresses
     *
     * @throws InvalidArgumentException when one is none, or another peer's
     */
    private static function addresses(string $id, array $addresses): void
    {
        foreach ($addresses as $address) {
            if ($address[0] !== '/') {
                throw new InvalidArgumentException(Text::quote($address) . ' is not an address: it begins with /');
            }
            if (preg_match('~/p2p/([^/]*)$~D', $address, $match) === 1 && $match[1] !== $id) {
                throw new InvalidArgumentException(Text::quote($address) . ' is the address of another peer');
            }
        }
    }

    /** Trusts whom this trusts and whom $other trusts. */
    public function and(self $other): self
    {
        return new self($this->keys + $other->keys);
    }

    /** @return list<string> the peer IDs, none twice */
    public function peerIds(): array
    {
        return array_keys($this->keys);
    }

    /**
     * @return array<string, non-empty-string> public keys of 32 bytes, by peer ID
     *
     * @internal
     */
    public function keys(): array
    {
        return $this->keys;
    }

    private static function any(string $where): InvalidArgumentException
    {
        return new InvalidArgumentException(
            $where . '"any" names nobody whose signature could be checked; name the nodes by their peer IDs',
        );
    }
}
