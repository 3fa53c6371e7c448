<?php

declare(strict_types=1);

namespace Plasm\Transport;

use Plasm\Exception\CommandException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Guards;
use Plasm\Job;
use Plasm\Json\Text;
use Plasm\Process\Binary;
use Plasm\Process\Child;
use Plasm\Process\Environment;
use Plasm\Trust;
use Plasm\Verifier;

/**
 * Runs jobs on this machine, through plasm-run.
 */
final class LocalTransport implements Transport
{
    /** Beside the job's own time: start, compiling (60 s at most), output. */
    private const SLACK_MS = 90_000;
    private const IDENTITY_MS = 10_000;

    private ?Binary $binary = null;
    private ?Verifier $verifier = null;

    /**
     * Nothing is looked for before the first job.
     *
     * @param ?string                  $bin            the folder that holds plasm-run, or plasm-run itself; null: it is
     *                                                 looked for, see {@see Binary}
     * @param ?string                  $key            the key that signs, made if it isn't there; null: this user's
     * @param ?Trust                   $trust          whose receipts count; null: the key's, which `plasm-run
     *                                                 --identity` is asked for once
     * @param list<string>             $requireGuards  of {@see Guards::ALL}: what must confine programs
     * @param ?string                  $cacheDir       where compiled modules are kept; null: this user's cache
     * @param ?int                     $deadlineMs     milliseconds for a whole call; null: the job's timeout and 90 s
     * @param int                      $maxResultBytes bytes of a result that is not streamed, a third more than its
     *                                                 output
     * @param array<array-key, string> $env            variables for plasm-run, beside those that say where this user's
     *                                                 files are
     * @param ?string                  $results        a folder of results: that of the same job is used again where
     *                                                 it verifies, and new ones are put there
     *
     * @throws InvalidArgumentException for a value that can't be
     */
    public function __construct(
        private readonly ?string $bin = null,
        private readonly ?string $key = null,
        private readonly ?Trust $trust = null,
        private readonly array $requireGuards = [],
        private readonly ?string $cacheDir = null,
        private readonly ?int $deadlineMs = null,
        private readonly int $maxResultBytes = 67_108_864,
        private readonly array $env = [],
        private readonly ?string $results = null,
    ) {
        Guards::check($requireGuards);
        Limits::check($deadlineMs, $maxResultBytes);
        Environment::make($env);
    }

    public function prepare(Job $job, bool $live): Invocation
    {
        if ($live && $this->results !== null) {
            throw new InvalidArgumentException('output that is passed on as it comes is no use of results');
        }
        return $this->invocation(new Preparation($job, $this->results === null), $live);
    }

    public function prepareBatch(Job $job): Invocation
    {
        return $this->invocation(new Preparation($job, false, batch: true), false);
    }

    private function invocation(Preparation $p, bool $live): Invocation
    {
        $binary = $this->binary ??= Binary::find('plasm-run', $this->bin);
        $flags = Limits::flags([
            '--key' => Limits::path($this->key),
            '--cache-dir' => Limits::path($this->cacheDir),
            '--require-guards' => implode(',', $this->requireGuards) ?: null,
            '--results' => Limits::path($this->results),
        ]);
        foreach ($p->source->dirs as $guest => [$host, $readOnly]) {
            array_push($flags, '--dir', "$host::$guest" . ($readOnly ? ':ro' : ''));
        }
        return $p->invocation(
            $binary,
            $flags,
            $this->env,
            $this->requireGuards,
            $this->verifier ??= new Verifier($this->trust ?? $this->identity($binary)),
            $live,
            $this->deadlineMs ?? $p->source->timeoutMs + self::SLACK_MS,
            $this->maxResultBytes,
        );
    }

    /** Who signs here: the key that plasm-run, run by this user, has. */
    private function identity(Binary $binary): Trust
    {
        $flags = Limits::flags(['--key' => Limits::path($this->key)]);
        $said = Child::capture(
            [$binary->path, '--identity', ...$flags],
            Environment::make($this->env),
            self::IDENTITY_MS,
        );
        $peer = $said->line();
        if ($peer === null) {
            throw new CommandException(
                'plasm-run has no key: ' . (Text::line($said->stderr) ?: "it $said->ending"),
                null,
                null,
                $said->exitCode ?? -1,
            );
        }
        return Trust::peers($peer);
    }
}
