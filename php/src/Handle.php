<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\MisuseException;
use Plasm\Exception\PlasmException;
use Plasm\Exception\TimeoutException;
use Plasm\Process\Child;
use Plasm\Transport\Invocation;

/**
 * A job that was started. It moves on only while one of its methods is called;
 * when the last reference to it goes, the job is ended.
 */
final class Handle
{
    /** Milliseconds that a command has between TERM and KILL: it tells a node of the end. */
    private const GRACE_MS = 3000;

    private readonly Child $child;
    private readonly Collector $collector;
    private readonly float $end;
    private ?Result $result = null;
    private ?PlasmException $failure = null;
    private bool $inCallback = false;

    /**
     * @param (\Closure(Chunk): void)|null $onOutput
     *
     * @internal
     */
    public function __construct(
        private readonly Invocation $invocation,
        ?\Closure $onOutput,
        private readonly bool $verify,
    ) {
        $this->collector = new Collector($invocation, $onOutput === null ? null : $this->guarded($onOutput));
        $files = [];
        foreach ($invocation->files as $fd => $spool) {
            $files[$fd] = $spool->file;
        }
        $this->end = microtime(true) + $invocation->deadlineMs / 1000;
        $this->child = new Child(
            [$invocation->binary->path, ...$invocation->arguments],
            $invocation->env,
            $files,
            $this->collector->sinks(),
            $invocation->source,
        );
    }

    /**
     * @param \Closure(Chunk): void $onOutput
     *
     * @return \Closure(Chunk): void
     */
    private function guarded(\Closure $onOutput): \Closure
    {
        return function (Chunk $chunk) use ($onOutput): void {
            $this->inCallback = true;
            try {
                $onOutput($chunk);
            } finally {
                $this->inCallback = false;
            }
        };
    }

    /**
     * Moves the job on as far as it goes without waiting.
     *
     * @return bool whether it has ended: then {@see wait()} returns or throws at once
     *
     * @throws \Throwable what the callback for output throws; the job is ended then
     */
    public function poll(): bool
    {
        self::advance([$this], 0);
        return $this->hasEnded();
    }

    /** Whether the job has ended, as far as the last call knows. */
    public function hasEnded(): bool
    {
        return $this->result !== null || $this->failure !== null;
    }

    /**
     * Waits for the end of the job.
     *
     * @throws PlasmException as {@see Client::run()}; every call throws the same
     * @throws \Throwable     what the callback for output throws; the job is ended then
     */
    public function wait(): Result
    {
        while (!$this->hasEnded()) {
            self::advance([$this], 100);
        }
        return $this->result ?? throw $this->failure;
    }

    /**
     * Asks the job to end, here and on its node. A job that had started then ends with a result of status Cancelled,
     * one that had not with a CancelledException; one that has ended by now stays as it is.
     */
    public function cancel(): void
    {
        $this->child->terminate(self::GRACE_MS);
    }

    /**
     * Moves several jobs on, waiting at most $waitMs milliseconds for one that can.
     *
     * @param list<self> $handles
     *
     * @throws \Throwable what a callback for output throws
     *
     * @internal
     */
    public static function advance(array $handles, int $waitMs): void
    {
        $running = array_values(array_filter($handles, static fn (self $h): bool => !$h->hasEnded()));
        foreach ($running as $handle) {
            if ($handle->inCallback) {
                throw new MisuseException('a callback for output cannot wait for the job that it is called for');
            }
            $waitMs = min($waitMs, max(0, (int) (($handle->end - microtime(true)) * 1000) + 1));
        }
        try {
            Child::pump(array_map(static fn (self $h): Child => $h->child, $running), $waitMs);
        } catch (Exception\ResultTooLargeException) {
            // That one has ended, and says so below.
        }
        foreach ($running as $handle) {
            $handle->conclude();
        }
    }

    private function conclude(): void
    {
        try {
            if ($this->child->hasEnded()) {
                $this->result = $this->collector->result($this->child, $this->verify);
            } elseif (microtime(true) > $this->end) {
                $this->child->end(self::GRACE_MS);
                $ms = $this->invocation->deadlineMs;
                throw new TimeoutException("the call took longer than its deadline of $ms ms, and was ended");
            }
        } catch (PlasmException $e) {
            $this->failure = $e;
        }
    }
}
