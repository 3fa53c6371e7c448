<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Json\Fields;
use Plasm\Json\Rule;
use Plasm\Json\Text;

/**
 * Who ran a job, and how: the member "node" of a receipt.
 */
final class Executor
{
    /**
     * @param string       $peerId        of the key that signed
     * @param string       $version       of plasm
     * @param string       $os            as Go names it, such as linux
     * @param string       $arch          as Go names it, such as amd64
     * @param string       $engine        what executed the module
     * @param string       $engineVersion its version
     * @param list<string> $guards        of {@see Guards::ALL}: those proved active for this run
     */
    private function __construct(
        public readonly string $peerId,
        public readonly string $version,
        public readonly string $os,
        public readonly string $arch,
        public readonly string $engine,
        public readonly string $engineVersion,
        public readonly array $guards,
    ) {
    }

    /** @internal */
    public static function fromFields(Fields $f): self
    {
        $engine = $f->object('engine');
        return new self(
            peerId: self::peerId($f, 'peer_id'),
            version: $f->nonEmpty('version'),
            os: $f->name('os', false),
            arch: $f->name('arch', false),
            engine: $engine->name('name', true),
            engineVersion: $engine->nonEmpty('version'),
            guards: $f->setOf('guards', Guards::ALL),
        );
    }

    /**
     * A peer ID that does name a key.
     *
     * @internal
     */
    public static function peerId(Fields $f, string $name): string
    {
        $id = $f->string($name);
        try {
            PeerId::key($id);
        } catch (Exception\InvalidArgumentException) {
            throw $f->fail($name, Rule::Format, Text::quote($id) . ' is not a peer ID');
        }
        return $id;
    }
}
