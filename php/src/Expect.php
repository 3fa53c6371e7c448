<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\UnverifiedException;

/**
 * What the caller knows about a job, and wants a receipt to be about. The
 * default asks for nothing. Immutable.
 */
final class Expect
{
    /**
     * @param ?string      $module    digest of the module, see {@see Digest}
     * @param ?Manifest    $manifest  must equal the signed one, field by field
     * @param ?Content     $stdin     what the program must have been given
     * @param ?Content     $stdout    what it must have written
     * @param ?Content     $stderr    likewise
     * @param array<string, string> $in  digests of {@see Tree}s by path in the program: what travelling folders must
     *                                   have begun as
     * @param array<string, string> $out likewise: what the program must have left in them
     * @param list<string>          $carried digests of trees, each of which the program must have left somewhere
     * @param list<string> $guards    of {@see Guards::ALL}; each must have been active
     * @param list<int>    $exitCodes the program must have ended by itself, with one of these; empty: not asked
     *
     * @throws InvalidArgumentException for a digest, guard or exit code that can't be
     */
    public function __construct(
        public readonly ?string $module = null,
        public readonly ?Manifest $manifest = null,
        public readonly ?Content $stdin = null,
        public readonly ?Content $stdout = null,
        public readonly ?Content $stderr = null,
        public readonly array $in = [],
        public readonly array $out = [],
        public readonly array $carried = [],
        public readonly array $guards = [],
        public readonly array $exitCodes = [],
    ) {
        if ($module !== null && !Digest::isValid($module)) {
            throw new InvalidArgumentException('module: ' . Json\Text::quote($module) . ' is not a digest');
        }
        foreach ($in + $out as $digest) {
            if (!Digest::isValid($digest)) {
                throw new InvalidArgumentException('in, out: ' . Json\Text::quote($digest) . ' is not a digest');
            }
        }
        Guards::check($guards);
        foreach ($exitCodes as $code) {
            if ($code < 0 || $code > 0xFFFFFFFF) {
                throw new InvalidArgumentException("exitCodes: $code is not in 0…4294967295");
            }
        }
    }

    /**
     * Compares a verified statement with what the caller has, in the order from
     * Module to Outcome.
     *
     * @throws UnverifiedException with the first reason
     *
     * @internal
     */
    public function check(Statement $s): void
    {
        if ($this->module !== null && $this->module !== $s->manifest->moduleHash) {
            $detail = "the receipt is about {$s->manifest->moduleHash}, this is $this->module";
            throw UnverifiedException::because(Reason::Module, $detail);
        }
        if (($field = $this->manifest?->difference($s->manifest)) !== null) {
            throw UnverifiedException::because(
                Reason::Manifest,
                "the receipt is about another one: $field differs",
            );
        }
        $this->checkStdin($s);
        self::compare(Reason::Stdout, $this->stdout, $s->stdout, $s->outcome->stdoutBytes);
        self::compare(Reason::Stderr, $this->stderr, $s->stderr, $s->outcome->stderrBytes);
        $this->checkDirs($s);
        foreach ($this->guards as $guard) {
            if (!in_array($guard, $s->node->guards, true)) {
                $active = implode(', ', $s->node->guards) ?: 'none';
                throw UnverifiedException::because(Reason::Guards, "$guard was not active, but $active");
            }
        }
        // With a status other than exit the code is null, which is in no list.
        if ($this->exitCodes !== [] && !in_array($s->outcome->exitCode, $this->exitCodes, true)) {
            $wanted = implode(' or ', $this->exitCodes);
            throw UnverifiedException::because(Reason::Outcome, $s->outcome->ending() . ", not exit $wanted");
        }
    }

    private function checkDirs(Statement $s): void
    {
        $began = $left = [];
        foreach ($s->manifest->dirs as $dir) {
            if ($dir->tree !== null) {
                $began[$dir->guest] = $dir->tree;
            }
        }
        foreach ($s->outcome->dirs as $dir) {
            $left[$dir->guest] = $dir->tree;
        }
        self::compareTrees($this->in, $began, 'began as');
        self::compareTrees($this->out, $left, 'ended as');
        foreach ($this->carried as $digest) {
            if (!in_array($digest, $left, true)) {
                $detail = "no folder ended as the tree $digest that came with it";
                throw UnverifiedException::because(Reason::Dirs, $detail);
            }
        }
    }

    /**
     * @param array<string, string> $have
     * @param array<string, string> $signed
     */
    private static function compareTrees(array $have, array $signed, string $was): void
    {
        foreach ($have as $guest => $digest) {
            $shown = Json\Text::quote((string) $guest);
            if (!isset($signed[$guest])) {
                $detail = "the receipt does not say what $shown $was";
                throw UnverifiedException::because(Reason::Dirs, $detail);
            }
            if ($signed[$guest] !== $digest) {
                $detail = "$shown $was {$signed[$guest]}, this is $digest";
                throw UnverifiedException::because(Reason::Dirs, $detail);
            }
        }
    }

    private function checkStdin(Statement $s): void
    {
        $asked = $s->manifest->stdinHash;
        if ($this->stdin !== null && $asked !== null && $this->stdin->digest !== $asked) {
            $detail = "the manifest has $asked, this is {$this->stdin->digest}";
            throw UnverifiedException::because(Reason::Stdin, $detail);
        }
        self::compare(Reason::Stdin, $this->stdin, $s->outcome->stdinHash, $s->outcome->stdinBytes);
    }

    private static function compare(Reason $reason, ?Content $have, string $digest, int $bytes): void
    {
        if ($have === null) {
            return;
        }
        if ($have->digest !== $digest) {
            $detail = "the receipt is about $digest, this is " . Json\Text::line($have->digest, 80);
            throw UnverifiedException::because($reason, $detail);
        }
        if ($have->bytes !== $bytes) {
            $detail = "the receipt is about $bytes bytes, these are $have->bytes";
            throw UnverifiedException::because($reason, $detail);
        }
    }
}
