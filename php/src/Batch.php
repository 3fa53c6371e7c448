<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\DocumentException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\PlasmException;
use Plasm\Exception\ProcessException;
use Plasm\Exception\ResultTooLargeException;
use Plasm\Json\Scanner;
use Plasm\Process\Child;
use Plasm\Process\Spool;
use Plasm\Transport\Invocation;

/**
 * A batch of jobs that one command runs: a line about each item goes in, a line about
 * each comes out, in the same order.
 *
 * @internal
 */
final class Batch
{
    /** Items that are under way at most, and bytes of their inputs. */
    private const ITEMS = 1024;
    private const BYTES = 1 << 26;
    /** Bytes of input that go into a line; more goes into a file. */
    private const INLINE = 1 << 16;
    private const GRACE_MS = 3000;
    private const WORDS = 65536;

    private readonly Job $base;
    private readonly Manifest $manifest;
    /** @var array<int, array{mixed, Job, ?Entry, ?PlasmException}> items under way, in their order */
    private array $pending = [];
    private int $bytes = 0;
    /** @var list<string> lines that have come; null: one that is too large */
    private array $lines = [];
    private string $line = '';
    private bool $tooLarge = false;
    private string $words = '';
    /** @var resource|null to the command */
    private mixed $pipe = null;
    private string $unsent = '';
    private int $sent = 0;
    private ?PlasmException $whole = null;

    public function __construct(
        private readonly Invocation $invocation,
        private readonly Job $job,
        private readonly bool $verify,
    ) {
        $this->base = $job->common();
        $this->manifest = $invocation->expect->manifest ?? throw new \LogicException('a batch without manifest');
    }

    /**
     * @template K
     *
     * @param iterable<K, Job|string> $items
     *
     * @return \Generator<K, Settled>
     */
    public function run(iterable $items): \Generator
    {
        $rest = (static fn (): \Generator => yield from $items)();
        $child = $this->start();
        try {
            $taken = false;
            while (true) {
                $this->fill($rest, $taken);
                while (($settled = $this->next($child)) !== null) {
                    [$key, $one] = $settled;
                    yield $key => $one;
                }
                if ($this->pending === [] && $this->pipe === null && $child->hasEnded()) {
                    return;
                }
                if ($child->hasEnded() && $this->lines === []) {
                    throw $this->broken($child);
                }
                Child::pump([$child], $this->unsent === '' ? 100 : 5);
            }
        } finally {
            $this->closePipe();
            $child->end(self::GRACE_MS);
            foreach ($this->pending as [, , $entry]) {
                $entry?->close();
            }
        }
    }

    private function start(): Child
    {
        $pair = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        if ($pair === false) {
            throw new ProcessException('no pipe can be made');
        }
        [$this->pipe, $theirs] = $pair;
        stream_set_blocking($this->pipe, false);
        $files = [];
        foreach ($this->invocation->files as $fd => $spool) {
            $files[$fd] = $spool->file;
        }
        $files[0] = $theirs;
        $child = new Child(
            [$this->invocation->binary->path, ...$this->invocation->arguments],
            $this->invocation->env,
            $files,
            [1 => $this->take(...), 2 => function (string $bytes): void {
                $this->words = substr($this->words . $bytes, -self::WORDS);
            }],
        );
        fclose($theirs);
        return $child;
    }

    /** Takes what the command writes. */
    private function take(string $bytes): void
    {
        $parts = explode("\n", $bytes);
        $last = array_pop($parts);
        foreach ($parts as $part) {
            $this->keep($part);
            $this->lines[] = $this->tooLarge ? '' : $this->line;
            [$this->line, $this->tooLarge] = ['', false];
        }
        $this->keep($last);
    }

    private function keep(string $part): void
    {
        $this->line .= $this->tooLarge ? '' : $part;
        if (strlen($this->line) > $this->invocation->maxResultBytes) {
            [$this->line, $this->tooLarge] = ['', true];
        }
    }

    /** Gives the command items while it takes them and there is room. */
    private function fill(\Generator $items, bool &$taken): void
    {
        while ($this->pipe !== null && $this->write()) {
            if (count($this->pending) >= self::ITEMS || ($this->bytes >= self::BYTES && $this->pending !== [])) {
                return;
            }
            if ($taken) {
                $items->next();
            }
            $taken = true;
            if (!$items->valid()) {
                $this->closePipe();
                return;
            }
            $this->add($items->key(), $items->current());
        }
    }

    private function add(mixed $key, mixed $item): void
    {
        $job = $this->job;
        try {
            $job = match (true) {
                $item instanceof Job => $item,
                is_string($item) => $this->job->args(...[...$this->job->arguments(), $item]),
                default => throw new InvalidArgumentException(
                    'an item of map() is a job or a string, not ' . get_debug_type($item),
                ),
            };
            $line = $job->item($this->base);
            $entry = Entry::of($job, self::INLINE);
            $this->unsent = json_encode(
                $line + $entry->member(),
                JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR,
            ) . "\n";
            $this->bytes += $entry->content->bytes;
            $this->pending[] = [$key, $job, $entry, null];
        } catch (PlasmException $e) {
            $this->pending[] = [$key, $job, null, $e];
        }
    }

    /** Writes what is to be sent, and reports whether all of it is. */
    private function write(): bool
    {
        if ($this->unsent === '' || $this->pipe === null) {
            return true;
        }
        $n = @fwrite($this->pipe, $this->unsent);
        if ($n === false) { // the command takes no more, and says why
            $this->closePipe();
            return false;
        }
        $this->unsent = substr($this->unsent, $n);
        return $this->unsent === '';
    }

    private function closePipe(): void
    {
        if ($this->pipe !== null) {
            // The command has inherited this end, too, so that to close it is not enough.
            stream_socket_shutdown($this->pipe, STREAM_SHUT_WR);
            fclose($this->pipe);
            [$this->pipe, $this->unsent] = [null, ''];
        }
    }

    /**
     * The next item that is over, with its key.
     *
     * @return ?array{mixed, Settled}
     */
    private function next(Child $child): ?array
    {
        $at = array_key_first($this->pending);
        if ($at === null) {
            return null;
        }
        [$key, $job, $entry, $error] = $this->pending[$at];
        if ($error === null && $this->lines === []) {
            return null;
        }
        $result = null;
        try {
            if ($entry !== null) {
                $result = $this->read((string) array_shift($this->lines), $job, $entry, $child);
            }
        } catch (PlasmException $e) {
            $error = $e === $this->whole ? throw $e : $e;
        }
        unset($this->pending[$at]);
        if ($entry !== null) {
            $this->bytes -= $entry->content->bytes;
            $entry->close();
        }
        return [$key, new Settled($job, $result, $error)];
    }

    /** What a line says of an item. */
    private function read(string $line, Job $job, Entry $entry, Child $child): Result
    {
        $index = ++$this->sent;
        if ($line === '') {
            $max = $this->invocation->maxResultBytes;
            throw new ResultTooLargeException("the result has more than $max bytes");
        }
        [$value, $places] = Scanner::parseWithPlaces($line);
        $f = new Json\Fields($value, 'line');
        if (!$f->has('index')) { // about the batch as a whole
            $this->whole = Failure::ofDocument(ErrorDocument::fromJson($line), $child, $this->invocation);
            throw $this->whole;
        }
        $f->only('index', 'label', 'result', 'error');
        if ($f->int('index', 1, Scanner::MAX_INT) !== $index) {
            throw new ProcessException("{$this->invocation->binary->command} answers item $index with another");
        }
        $part = static fn (string $name): string
            => substr($line, $places[$name][0], $places[$name][1] - $places[$name][0]);
        if ($f->has('error')) {
            $error = ErrorDocument::fromJson('{"error":' . $part('error') . '}');
            throw Failure::ofDocument($error, $child, $this->invocation);
        }
        $f->object('result')->skip();
        $collector = new Collector($this->expecting($job, $entry), null);
        return $collector->read(ResultDocument::fromJson($part('result'), PHP_INT_MAX), $this->verify, $child);
    }

    /** The invocation, with what the result of an item must be about. */
    private function expecting(Job $job, Entry $entry): Invocation
    {
        $of = $this->invocation;
        $manifest = ($this->manifest->canonicalNan ? $job->canonicalNan() : $job)->manifest(
            $this->manifest->moduleHash,
            $entry->content->digest,
            $this->manifest->arch,
            $this->manifest->cpuCores,
            [],
        )->withoutId();
        return new Invocation(
            $of->binary,
            [],
            [],
            [],
            null,
            $entry->content->bytes === 0 ? null : $entry->spool(),
            new Expect($manifest->moduleHash, $manifest, guards: $of->expect->guards),
            $of->verifier,
            false,
            $of->deadlineMs,
            $of->maxResultBytes,
            [],
            $of->quorum,
        );
    }

    /** The command has ended before all items were answered. */
    private function broken(Child $child): PlasmException
    {
        if ($this->words !== '') {
            return Failure::ofWords($this->words, $child, $this->invocation);
        }
        return new ProcessException(
            "{$this->invocation->binary->command} {$child->ending()} before all items were answered",
            $child->exitCode(),
            $child->signal(),
        );
    }
}
