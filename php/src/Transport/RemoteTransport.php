<?php

declare(strict_types=1);

namespace Plasm\Transport;

use Plasm\Exception\InvalidArgumentException;
use Plasm\Guards;
use Plasm\Job;
use Plasm\Json\Text;
use Plasm\Manifest;
use Plasm\Node;
use Plasm\Process\Binary;
use Plasm\Process\Environment;
use Plasm\Trust;
use Plasm\Verifier;

/**
 * Runs jobs on a node, through plasm-submit.
 *
 * Nothing of a job, its digests included, goes to a node that isn't trusted, and
 * no result is taken that such a node hasn't signed: this class says so to
 * plasm-submit, and then checks it in PHP. Trust is what the caller says: $trust,
 * and the IDs in $peers. A trust file of the user's, PLASM_TRUST and what
 * plasm-submit finds never count.
 */
final class RemoteTransport implements Transport
{
    /** What plasm-submit takes when no deadline is given, beside the job's own time. */
    private const DEADLINE_MS = 600_000;
    /** How much later than plasm-submit itself this side gives up. */
    private const SLACK_MS = 5_000;

    private ?Binary $binary = null;
    private readonly Verifier $verifier;

    /**
     * Nothing is looked for before the first job.
     *
     * @param list<string>             $peers            these nodes, and trust them: peer IDs, or multiaddresses that
     *                                                   end in /p2p/ and one. With any, or with $nodes, no others are
     *                                                   looked for
     * @param ?Trust                   $trust            whom else to trust
     * @param list<string>             $bootstrap        multiaddresses where to begin to look
     * @param list<Node>               $nodes            these nodes, as {@see \Plasm\Discovery} found them; it is no
     *                                                   reason to trust them
     * @param ?string                  $arch             the processor family, as Go names it, such as amd64; null: any
     * @param int                      $minCores         cores that the node has, 1 to 1024
     * @param ?int                     $minMemoryMb      what a job may have there, 1 to 4096 units of 2^20 bytes, if
     *                                                   more than the job's memory
     * @param list<string>             $requireGuards    of {@see Guards::ALL}: what must confine programs
     * @param int                      $retries          new attempts after one whose offer was accepted; a rejection
     *                                                   costs none
     * @param ?int                     $attemptTimeoutMs milliseconds from the offer to a node to the program's start;
     *                                                   null: 2 minutes, and 1 s for each 256 KiB to send
     * @param ?int                     $deadlineMs       milliseconds for a whole call; null: 10 minutes and the job's
     *                                                   timeout
     * @param bool                     $mdns             whether the local network is asked
     * @param ?string                  $networkKey       file with the key of a private network
     * @param ?string                  $bin              the folder that holds plasm-submit, or plasm-submit itself;
     *                                                   null: it is looked for, see {@see Binary}
     * @param ?string                  $key              the key that asks, made if it isn't there; null: this user's
     * @param int                      $maxResultBytes   bytes of a result that is not streamed, a third more than its
     *                                                   output
     * @param array<array-key, string> $env              variables for plasm-submit, beside those that say where this
     *                                                   user's files are
     * @param ?int                     $quorum           2 to 16: the answer is that of so many nodes that agree; all
     *                                                   receipts are verified here, too. Sets canonicalNan(); for
     *                                                   deterministic jobs
     * @param int|string|null          $hedge            milliseconds without an answer after which a job goes to one
     *                                                   node more; "auto", for {@see \Plasm\Client::map()}: three times
     *                                                   the median. The program may then run twice
     * @param ?string                  $results          a folder of results: that of the same job is used again where
     *                                                   it verifies, and new ones are put there
     *
     * @throws InvalidArgumentException for a value that can't be, and when nobody is trusted
     */
    public function __construct(
        private readonly array $peers = [],
        ?Trust $trust = null,
        private readonly array $bootstrap = [],
        private readonly array $nodes = [],
        private readonly ?string $arch = null,
        private readonly int $minCores = 1,
        private readonly ?int $minMemoryMb = null,
        private readonly array $requireGuards = [],
        private readonly int $retries = 3,
        private readonly ?int $attemptTimeoutMs = null,
        private readonly ?int $deadlineMs = null,
        private readonly bool $mdns = true,
        private readonly ?string $networkKey = null,
        private readonly ?string $bin = null,
        private readonly ?string $key = null,
        private readonly int $maxResultBytes = 67_108_864,
        private readonly array $env = [],
        private readonly ?int $quorum = null,
        private readonly int|string|null $hedge = null,
        private readonly ?string $results = null,
    ) {
        $named = array_map(static fn (string $p): string => substr('/' . $p, (int) strrpos('/' . $p, '/') + 1), $peers);
        $this->verifier = new Verifier(Trust::peers(...$named)->and($trust ?? Trust::peers()));
        if ($this->verifier->trust->peerIds() === []) {
            throw new InvalidArgumentException('nobody is trusted: name nodes in peers, or in trust');
        }
        if ($arch !== null && !Text::isName($arch, false)) {
            throw new InvalidArgumentException('arch: ' . Text::quote($arch) . ' is not 1 to 32 of a-z 0-9');
        }
        Guards::check($requireGuards);
        Limits::check($deadlineMs, $maxResultBytes);
        Limits::range('minCores', $minCores, 1, Manifest::MAX_CPU_CORES);
        Limits::range('minMemoryMb', $minMemoryMb ?? 1, 1, Manifest::MAX_MEMORY_MB);
        Limits::range('retries', $retries, 0, 1000);
        Limits::range('attemptTimeoutMs', $attemptTimeoutMs ?? 1, 1, Manifest::MAX_TIMEOUT_MS);
        Limits::range('quorum', $quorum ?? 2, 2, Verifier::MAX_QUORUM);
        if ($hedge !== 'auto') {
            if (is_string($hedge)) {
                throw new InvalidArgumentException('hedge: ' . Text::quote($hedge) . ' is not milliseconds or auto');
            }
            Limits::range('hedge', $hedge ?? 1, 1, Manifest::MAX_TIMEOUT_MS);
        }
        Environment::make($env);
    }

    public function prepare(Job $job, bool $live): Invocation
    {
        $source = $job->source();
        if ($source->dirs !== []) {
            throw new InvalidArgumentException(
                'a job with live folders of this machine runs on no other; Job::in() and out() are for folders that '
                . 'travel',
            );
        }
        if ($live && !$source->stream) {
            throw new InvalidArgumentException(
                'output of a node that comes before it is verified must be asked for: Job::stream()',
            );
        }
        $job = $this->quorum === null ? $job : $job->canonicalNan();
        return $this->invocation(new Preparation($job, $source->stream, $this->arch, $this->minCores), $live);
    }

    public function prepareBatch(Job $job): Invocation
    {
        $job = $this->quorum === null ? $job : $job->canonicalNan();
        return $this->invocation(new Preparation($job, false, $this->arch, $this->minCores, true), false);
    }

    private function invocation(Preparation $p, bool $live): Invocation
    {
        $source = $p->source;
        $binary = $this->binary ??= Binary::find('plasm-submit', $this->bin);
        if ($this->nodes !== []) {
            $lines = array_map(static fn (Node $n): string => $n->line(), $this->nodes);
            $p->file(Invocation::NODES, implode("\n", $lines) . "\n");
        }
        return $p->invocation(
            $binary,
            $this->flags($source->stream),
            $this->env,
            $this->requireGuards,
            $this->verifier,
            $live,
            ($this->deadlineMs ?? $source->timeoutMs + self::DEADLINE_MS) + self::SLACK_MS,
            $this->maxResultBytes,
            $this->quorum,
        );
    }

    /** @return list<string> */
    private function flags(bool $stream): array
    {
        return Limits::flags([
            '--peer' => $this->peers,
            '--signer' => $this->verifier->trust->peerIds(),
            '--bootstrap' => $this->bootstrap,
            '--peers' => $this->nodes === [] ? null : '/dev/fd/' . Invocation::NODES,
            '--min-memory' => $this->minMemoryMb === null ? null : (string) $this->minMemoryMb,
            '--require-guards' => implode(',', $this->requireGuards) ?: null,
            '--retries' => (string) $this->retries,
            '--attempt-timeout' => $this->attemptTimeoutMs === null ? null : "{$this->attemptTimeoutMs}ms",
            '--deadline' => $this->deadlineMs === null ? null : "{$this->deadlineMs}ms",
            '--mdns' => $this->mdns ? null : 'false',
            '--network-key' => Limits::path($this->networkKey),
            '--key' => Limits::path($this->key),
            '--quorum' => $this->quorum === null ? null : (string) $this->quorum,
            '--hedge' => is_int($this->hedge) ? "{$this->hedge}ms" : $this->hedge,
            '--results' => Limits::path($this->results),
            '--stream' => $stream ? 'true' : null,
        ]);
    }
}
