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
        $subjects = self::subjects($f);
        $f->version('predicateType', self::PREDICATE_TYPE);
        $p = $f->object('predicate');
        $manifest = $p->value('manifest');
        $outcome = $p->value('outcome');
        $requester = $p->has('requester') ? Executor::peerId($p, 'requester') : null;
        $node = Executor::fromFields($p->object('node'));
        [$started, $finished] = [$p->time('started_at'), $p->time('finished_at')];
        $f->close();
        $statement = new self(
            stdout: $subjects[0][1],
            stderr: $subjects[1][1],
            manifest: Manifest::fromValue($manifest, 'statement.predicate.manifest'),
            requester: $requester,
            outcome: Outcome::fromValue($outcome, 'statement.predicate.outcome'),
            node: $node,
            startedAt: $started,
            finishedAt: $finished,
        );
        $statement->checkDirs($f, array_slice($subjects, 2));
        return $statement;
    }

    /**
     * The subjects, of which stdout and stderr are the first.
     *
     * @return list<array{string, string}> names and digests
     */
    private static function subjects(Fields $f): array
    {
        $list = $f->objects('subject');
        if (count($list) < 2) {
            throw $f->fail('subject', Rule::Count, 'has ' . count($list) . ' elements, not stdout and stderr');
        }
        $subjects = [];
        foreach ($list as $i => $s) {
            $name = $i < 2 ? $s->oneOf('name', ['stdout', 'stderr'][$i]) : $s->string('name');
            $subjects[] = [$name, self::digest($s)];
        }
        return $subjects;
    }

    /**
     * Holds the outcome's folders to the subjects behind the streams, and to the
     * folders of the manifest.
     *
     * @param list<array{string, string}> $subjects
     */
    private function checkDirs(Fields $f, array $subjects): void
    {
        $dirs = $this->outcome->dirs;
        if (count($subjects) !== count($dirs)) {
            $problem = 'has ' . (count($subjects) + 2) . ' elements, not stdout, stderr and the '
                . count($dirs) . ' of outcome.dirs';
            throw $f->fail('subject', Rule::Count, $problem);
        }
        $outputs = $this->manifest->outputs();
        if ($dirs !== [] && count($dirs) !== count($outputs)) {
            $problem = 'has ' . count($dirs) . ' elements, where the manifest has ' . count($outputs)
                . ' folders to write';
            throw $f->fail('predicate.outcome.dirs', Rule::Count, $problem);
        }
        foreach ($dirs as $i => $dir) {
            [$name, $digest] = $subjects[$i];
            if ($dir->guest !== $outputs[$i]->guest) {
                $problem = Text::quote($dir->guest) . ' is not one of ' . Text::quote($outputs[$i]->guest);
                throw $f->fail("predicate.outcome.dirs[$i].guest", Rule::Value, $problem);
            }
            $path = 'subject[' . ($i + 2) . ']';
            if ($name !== $dir->guest) {
                $problem = Text::quote($name) . ' is not one of ' . Text::quote($dir->guest);
                throw $f->fail("$path.name", Rule::Value, $problem);
            }
            if ($digest !== $dir->tree) {
                $problem = "goes with outcome.dirs, where it is $dir->tree";
                throw $f->fail("$path.digest.sha256", Rule::Conflict, $problem);
            }
        }
    }

    private static function digest(Fields $f): string
    {
        $d = $f->object('digest');
        $hex = $d->string('sha256');
        return Digest::isValid("sha256:$hex")
            ? "sha256:$hex"
            : throw $d->fail('sha256', Rule::Format, Text::quote($hex) . ' is not 64 lower-case hex digits');
    }

    /**
     * What nodes that run the same job must agree on: how it ended, what it has written and left, and the fuel where
     * that was counted. Null for an end that another run need not have.
     *
     * @return ?list<mixed>
     */
    public function vote(): ?array
    {
        $o = $this->outcome;
        $own = $o->trap === 'stack_overflow' && $this->manifest->fuel === null; // the engine's own stack
        return match (true) {
            $own, in_array($o->status, [
                Status::Timeout, Status::OutOfMemory, Status::Cancelled, Status::EngineFailed,
            ], true) => null,
            default => [
                $o->status, $o->exitCode, $o->trap, $this->stdout, $this->stderr, $o->fuelUsed,
                array_map(static fn (OutcomeDir $d): array => [$d->guest, $d->tree], $o->dirs),
            ],
        };
    }
}
