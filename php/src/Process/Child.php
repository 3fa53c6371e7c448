<?php

declare(strict_types=1);

namespace Plasm\Process;

use Plasm\Exception\ProcessException;
use Plasm\Exception\TimeoutException;

/**
 * A command that runs: started without a shell, all of its pipes pumped so that
 * none can block, ended by TERM and then KILL, reaped exactly once. When the
 * script ends for whatever reason PHP can act on, so does the command.
 *
 * @internal
 */
final class Child
{
    private const CHUNK = 65536;
    private const TERM = 15;
    private const KILL = 9;
    /** Milliseconds that output may take to arrive when the process has ended. */
    private const LAST_WORDS_MS = 500;

    /** @var resource|null */
    private mixed $process;
    /** @var array<int, resource> what it writes to, by its descriptor */
    private array $pipes = [];
    /** @var array<int, \Closure(string): void> who takes that */
    private array $sinks;
    private ?Feed $feed = null;
    private int $owner;
    private ?float $endedAt = null;
    private ?float $killAt = null;
    private ?int $exitCode = null;
    private ?int $signal = null;

    /**
     * Starts a command.
     *
     * @param list<string>                       $command the executable, and its arguments
     * @param array<string, string>              $env     all variables that it has
     * @param array<int, resource>               $files   what it reads, by its descriptor
     * @param array<int, \Closure(string): void> $sinks   what takes what it writes, by its descriptor
     * @param resource|null                      $source  what is passed on to its stdin, where $files has none
     *
     * @throws ProcessException when it can't be started
     */
    public function __construct(array $command, array $env, array $files, array $sinks, mixed $source = null)
    {
        $spec = $files;
        $spec[0] ??= $source === null ? ['file', '/dev/null', 'r'] : ['pipe', 'r'];
        foreach ($sinks as $fd => $_) {
            $spec[$fd] = ['pipe', 'w'];
        }
        ksort($spec);
        $process = @proc_open($command, $spec, $pipes, '/', $env, ['bypass_shell' => true]);
        if (!is_resource($process)) {
            $why = error_get_last()['message'] ?? 'no reason given';
            throw new ProcessException("$command[0] cannot be started: " . \Plasm\Json\Text::line($why, 200));
        }
        $this->process = $process;
        $this->owner = (int) getmypid();
        $this->sinks = $sinks;
        if ($source !== null) {
            $this->feed = new Feed($source, $pipes[0]);
        }
        foreach ($sinks as $fd => $_) {
            stream_set_blocking($pipes[$fd], false);
            stream_set_read_buffer($pipes[$fd], 0);
            $this->pipes[$fd] = $pipes[$fd];
        }
        Living::add($this);
    }

    /**
     * Runs a command to its end; its output is small.
     *
     * @param list<string>          $command
     * @param array<string, string> $env
     *
     * @throws ProcessException when it can't be started
     * @throws TimeoutException when it takes longer than $deadlineMs milliseconds
     */
    public static function capture(array $command, array $env, int $deadlineMs): Captured
    {
        $said = [1 => '', 2 => ''];
        $sinks = [];
        foreach (array_keys($said) as $fd) {
            $sinks[$fd] = static function (string $bytes) use (&$said, $fd): void {
                $said[$fd] = substr($said[$fd] . $bytes, 0, self::CHUNK);
            };
        }
        $child = new self($command, $env, [], $sinks);
        $end = microtime(true) + $deadlineMs / 1000;
        while (!$child->hasEnded()) {
            if (microtime(true) > $end) {
                $child->end(0);
                throw new TimeoutException(basename($command[0]) . " took longer than $deadlineMs ms");
            }
            self::pump([$child], 100);
        }
        return new Captured($child->exitCode, $child->ending(), $said[1], $said[2]);
    }

    /** Whether it has ended and all of its output was taken. */
    public function hasEnded(): bool
    {
        return $this->process === null;
    }

    /** Its exit code; null while it runs, when a signal ended it, and where that can't be known. */
    public function exitCode(): ?int
    {
        return $this->exitCode;
    }

    /** The signal that ended it, or null. */
    public function signal(): ?int
    {
        return $this->signal;
    }

    /** How it has ended, for people. */
    public function ending(): string
    {
        return match (true) {
            $this->signal !== null => "was killed by signal $this->signal",
            $this->exitCode !== null => "ended with exit code $this->exitCode",
            default => 'ended with an exit code that this process cannot see, as it does not wait for its children',
        };
    }

    /** What was passed on to its stdin, or null when that was a file. */
    public function fed(): ?\Plasm\Content
    {
        return $this->feed?->content();
    }

    /**
     * Waits until one of them has something to do, at most $waitMs milliseconds,
     * and does it.
     *
     * @param list<self> $children
     *
     * @throws \Throwable what a sink throws; its command is ended then
     */
    public static function pump(array $children, int $waitMs): void
    {
        [$read, $write, $owners] = self::watched($children);
        if ($read === [] && $write === []) {
            // All pipes are closed, so the end is near: a process that closes them early has nothing to say.
            usleep(min($waitMs, 1) * 300);
        } else {
            $none = null;
            $n = @stream_select($read, $write, $none, intdiv($waitMs, 1000), $waitMs % 1000 * 1000);
            if ($n === false) {
                // A signal came, or a descriptor is beyond what select() takes: then pipes are asked one by one.
                usleep(min($waitMs, 1) * 1000);
            }
        }
        foreach ($read as $stream) {
            $owners[(int) $stream]->take($stream);
        }
        foreach ($write as $stream) {
            $owners[(int) $stream]->feed?->write();
        }
        foreach ($children as $child) {
            $child->settle();
        }
    }

    /**
     * @param list<self> $children
     *
     * @return array{list<resource>, list<resource>, array<int, self>}
     */
    private static function watched(array $children): array
    {
        [$read, $write, $owners] = [[], [], []];
        foreach ($children as $child) {
            if ($child->process === null) {
                continue;
            }
            $reads = [...array_values($child->pipes), ...$child->feed?->readable() ?? []];
            $writes = $child->feed?->writable() ?? [];
            foreach ([...$reads, ...$writes] as $stream) {
                $owners[(int) $stream] = $child;
            }
            array_push($read, ...$reads);
            array_push($write, ...$writes);
        }
        return [$read, $write, $owners];
    }

    /** @param resource $stream */
    private function take(mixed $stream): void
    {
        $fd = array_search($stream, $this->pipes, true);
        if ($fd === false) {
            $this->feed?->read();
            return;
        }
        $bytes = @fread($stream, self::CHUNK);
        if ($bytes === false || $bytes === '') {
            if ($bytes === false || feof($stream)) {
                $this->drop($fd);
            }
            return;
        }
        try {
            ($this->sinks[$fd])($bytes);
        } catch (\Throwable $e) {
            $this->end(0);
            throw $e;
        }
    }

    private function drop(int $fd): void
    {
        fclose($this->pipes[$fd]);
        unset($this->pipes[$fd]);
    }

    /** Looks whether the process has ended, kills it when it is time to, and reaps it. */
    private function settle(): void
    {
        if ($this->process === null) {
            return;
        }
        $now = microtime(true);
        if ($this->endedAt === null) {
            $status = proc_get_status($this->process);
            if ($status['running']) {
                if ($this->killAt !== null && $now >= $this->killAt) {
                    $this->killAt = null;
                    $this->send(self::KILL);
                }
                return;
            }
            // Only the first look after the end has the true code; and there is none where SIGCHLD is ignored,
            // or where a handler of it waits for all children.
            $this->exitCode = $status['signaled'] || $status['exitcode'] < 0 ? null : $status['exitcode'];
            $this->signal = $status['signaled'] ? $status['termsig'] : null;
            $this->endedAt = $now;
        }
        // Somebody else may have the pipes open: they are waited for, but not for ever.
        if ($this->pipes === [] || $now > $this->endedAt + self::LAST_WORDS_MS / 1000) {
            $this->close();
        }
    }

    private function close(): void
    {
        $this->feed?->close();
        foreach (array_keys($this->pipes) as $fd) {
            $this->drop($fd);
        }
        if ($this->process !== null) {
            proc_close($this->process);
            $this->process = null;
        }
        $this->sinks = [];
        Living::remove($this);
    }

    /** Asks the process to end; it is killed when it hasn't after $graceMs milliseconds of pumping. */
    public function terminate(int $graceMs): void
    {
        if ($this->process !== null && $this->endedAt === null) {
            $this->send(self::TERM);
            $this->killAt = microtime(true) + $graceMs / 1000;
        }
    }

    /**
     * Ends the process now: asks, waits at most $graceMs milliseconds, kills. What
     * it still writes is lost.
     */
    public function end(int $graceMs): void
    {
        if ($this->process === null) {
            return;
        }
        $this->sinks = array_map(static fn (): \Closure => static function (): void {
        }, $this->sinks);
        $this->feed?->close();
        $this->terminate($graceMs);
        while (!$this->hasEnded()) {
            self::pump([$this], 10);
        }
    }

    private function send(int $signal): void
    {
        if ($this->process !== null) {
            @proc_terminate($this->process, $signal);
        }
    }

    public function __destruct()
    {
        if ($this->process === null) {
            return;
        }
        if (getmypid() === $this->owner) {
            $this->end(1000);
        } else {
            // In a process that was forked off: the command is the parent's, and so is its end.
            $this->pipes = [];
        }
    }
}
