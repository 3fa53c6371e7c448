<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\DocumentException;
use Plasm\Json\Fields;
use Plasm\Json\Rule;
use Plasm\Json\Scanner;
use Plasm\Json\Text;

/**
 * What a node says about a job that it ran: the in-toto statement inside a
 * receipt. It is that node's word only when a {@see Verifier} returned it.
 */
final class Statement
{
    public const TYPE = 'https://in-toto.io/Statement/v1';
    /** The only kind of receipt that this SDK reads. */
    public const PREDICATE_TYPE = 'urn:plasm:receipt:v1';

    /**
     * @param string             $stdout     digest of all that the program wrote there, within its limits
     * @param string             $stderr     likewise
     * @param Manifest           $manifest   what was asked
     * @param ?string            $requester  the peer ID of the key that asked; null when there is none
     * @param Outcome            $outcome    what happened
     * @param Executor           $node       who ran it, and how
     * @param \DateTimeImmutable $startedAt  when the program started, by the node's clock, to the millisecond
     * @param \DateTimeImmutable $finishedAt when it had ended
     */
    private function __construct(
        public readonly string $stdout,
        public readonly string $stderr,
        public readonly Manifest $manifest,
        public readonly ?string $requester,
        public readonly Outcome $outcome,
        public readonly Executor $node,
        public readonly \DateTimeImmutable $startedAt,
        public readonly \DateTimeImmutable $finishedAt,
    ) {
    }

    /**
     * Reads the payload of a receipt. That it is signed is not checked here.
     *
     * @throws DocumentException                 when it breaks a rule
     * @throws Exception\UnknownVersionException when it is of a kind or version that this SDK doesn't know
     */
    public static function fromJson(string $payload): self
    {
        $f = new Fields(Scanner::parse($payload), 'statement');
        $f->oneOf('_type', self::TYPE);
        [$stdout, $stderr] = self::subjects($f);
        $f->version('predicateType', self::PREDICATE_TYPE);
        $p = $f->object('predicate');
        $manifest = $p->value('manifest');
        $outcome = $p->value('outcome');
        $requester = $p->has('requester') ? Executor::peerId($p, 'requester') : null;
        $node = Executor::fromFields($p->object('node'));
        [$started, $finished] = [$p->time('started_at'), $p->time('finished_at')];
        $f->close();
        return new self(
            stdout: $stdout,
            stderr: $stderr,
            manifest: Manifest::fromValue($manifest, 'statement.predicate.manifest'),
            requester: $requester,
            outcome: Outcome::fromValue($outcome, 'statement.predicate.outcome'),
            node: $node,
            startedAt: $started,
            finishedAt: $finished,
        );
    }

    /** @return array{string, string} the digests of stdout and stderr */
    private static function subjects(Fields $f): array
    {
        $list = $f->objects('subject');
        if (count($list) !== 2) {
            throw $f->fail('subject', Rule::Count, 'has ' . count($list) . ' elements, not stdout and stderr');
        }
        return [self::subject($list[0], 'stdout'), self::subject($list[1], 'stderr')];
    }

    private static function subject(Fields $f, string $name): string
    {
        $f->oneOf('name', $name);
        $d = $f->object('digest');
        $hex = $d->string('sha256');
        return Digest::isValid("sha256:$hex")
            ? "sha256:$hex"
            : throw $d->fail('sha256', Rule::Format, Text::quote($hex) . ' is not 64 lower-case hex digits');
    }
}
