<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\BinaryVersionException;
use Plasm\Exception\DocumentException;
use Plasm\Exception\ProcessException;
use Plasm\Exception\ResultTooLargeException;
use Plasm\Exception\UnknownVersionException;
use Plasm\Process\Child;
use Plasm\Transport\Invocation;

/**
 * Takes what a command writes, and makes of it a result or an exception.
 *
 * @internal
 */
final class Collector
{
    /** How much of a command's own words is kept, in bytes. */
    private const WORDS = 65536;

    /** The result document, or in a streamed job the receipt. */
    private string $document = '';
    private string $words = '';
    private bool $tooLarge = false;
    /** @var array<string, \HashContext> of what was streamed */
    private array $hashes = [];
    /** @var array<string, int> */
    private array $bytes = ['stdout' => 0, 'stderr' => 0];

    /** @param (\Closure(Chunk): void)|null $onOutput */
    public function __construct(private readonly Invocation $invocation, private readonly ?\Closure $onOutput)
    {
        $this->hashes = ['stdout' => hash_init('sha256'), 'stderr' => hash_init('sha256')];
    }

    /** @return array<int, \Closure(string): void> what takes the command's output, by descriptor */
    public function sinks(): array
    {
        $words = function (string $bytes): void {
            $this->words .= substr($bytes, 0, self::WORDS - strlen($this->words));
        };
        if (!$this->invocation->live) {
            return [1 => $this->keep($this->invocation->maxResultBytes), 2 => $words];
        }
        return [
            1 => $this->pass(Stream::Stdout),
            2 => $words,
            Invocation::RECEIPT => $this->keep(Receipt::MAX_BYTES + 1),
            Invocation::STDERR => $this->pass(Stream::Stderr),
        ];
    }

    /** @return \Closure(string): void */
    private function keep(int $max): \Closure
    {
        return function (string $bytes) use ($max): void {
            $this->document .= $bytes;
            if (strlen($this->document) > $max) {
                $this->tooLarge = true;
                $this->document = '';
                throw new ResultTooLargeException("the result has more than $max bytes");
            }
        };
    }

    /** @return \Closure(string): void */
    private function pass(Stream $stream): \Closure
    {
        return function (string $bytes) use ($stream): void {
            hash_update($this->hashes[$stream->value], $bytes);
            $this->bytes[$stream->value] += strlen($bytes);
            if ($this->onOutput !== null) {
                ($this->onOutput)(new Chunk($stream, $bytes));
            }
        };
    }

    /**
     * What the command, which has ended, came to.
     *
     * @throws Exception\PlasmException
     */
    public function result(Child $child, bool $verify): Result
    {
        if ($this->tooLarge) {
            $max = $this->invocation->live ? Receipt::MAX_BYTES : $this->invocation->maxResultBytes;
            throw new ResultTooLargeException("the result has more than $max bytes");
        }
        try {
            return $this->invocation->live
                ? $this->streamed($child, $verify)
                : $this->documented($child, $verify);
        } catch (UnknownVersionException $e) {
            throw $e;
        } catch (DocumentException $e) {
            $binary = $this->invocation->binary;
            $version = $binary->version();
            throw new BinaryVersionException(
                "$binary->command $version speaks other documents than this SDK: {$e->getMessage()}",
                $binary->path,
                $version,
                $e,
            );
        }
    }

    private function documented(Child $child, bool $verify): Result
    {
        if ($this->document === '') {
            throw $this->silent($child);
        }
        if (preg_match('/^\s*\{\s*"error"/', $this->document) === 1) {
            throw Failure::ofDocument(ErrorDocument::fromJson($this->document), $child, $this->invocation);
        }
        $document = ResultDocument::fromJson($this->document, $this->invocation->maxResultBytes);
        $this->document = '';
        return $this->read($document, $verify, $child);
    }

    /**
     * What a result document comes to.
     *
     * @throws Exception\PlasmException
     */
    public function read(ResultDocument $document, bool $verify, Child $child): Result
    {
        return $this->checked(
            Receipt::fromJson($document->receipt),
            $verify,
            Content::of($document->stdout),
            Content::of($document->stderr),
            [$document->stdout, $document->stderr],
            $child,
            $document->trace,
            $document->reused,
            $document->receipts,
        );
    }

    private function streamed(Child $child, bool $verify): Result
    {
        $receipt = rtrim($this->document, "\n");
        if ($receipt === '') {
            throw $this->words === ''
                ? $this->silent($child)
                : Failure::ofWords($this->words, $child, $this->invocation);
        }
        $content = fn (string $s): Content => new Content('sha256:' . hash_final($this->hashes[$s]), $this->bytes[$s]);
        return $this->checked(
            Receipt::fromJson($receipt),
            $verify,
            $content('stdout'),
            $content('stderr'),
            null,
            $child,
        );
    }

    /**
     * @param ?array{string, string} $kept  stdout and stderr; null when they were streamed
     * @param list<string>           $trace of a trap
     * @param list<string>           $agreeing envelopes of the nodes that agree
     */
    private function checked(
        Receipt $receipt,
        bool $verify,
        Content $stdout,
        Content $stderr,
        ?array $kept,
        Child $child,
        array $trace = [],
        bool $reused = false,
        array $agreeing = [],
    ): Result {
        $made = fn (Statement $statement): Result => new Result(
            $kept[0] ?? '',
            $kept[1] ?? '',
            $receipt,
            $statement,
            $verify,
            $kept === null,
            $statement->outcome->status === Status::Trap ? $trace : [],
            $reused,
            $this->folders($statement, $verify),
            array_map(Receipt::fromJson(...), $agreeing),
        );
        if (!$verify) {
            return $made($receipt->claims());
        }
        $expect = $this->invocation->expect;
        try {
            $manifest = $reused ? $expect->manifest?->withoutId() : $expect->manifest; // an earlier job's
            $statement = $this->invocation->verifier->verify($receipt, new Expect($expect->module, $manifest));
            (new Expect(stdin: $this->given($statement->outcome, $child)))->check($statement);
            (new Expect(stdout: $stdout, stderr: $stderr, guards: $expect->guards))->check($statement);
            $this->agreed($statement, [$receipt, ...$agreeing]);
        } catch (Exception\UnverifiedException $e) {
            $unknown = $e->getPrevious();
            throw $unknown instanceof UnknownVersionException ? $unknown : $e;
        }
        return $made($statement);
    }

    /**
     * Checks that as many nodes agree as were asked for, unless the job was cut short.
     *
     * @param list<Receipt|string> $receipts
     */
    private function agreed(Statement $statement, array $receipts): void
    {
        $n = $this->invocation->quorum;
        if ($n !== null && $statement->outcome->status !== Status::Cancelled) {
            $guards = new Expect(guards: $this->invocation->expect->guards);
            $this->invocation->verifier->verifyQuorum($n, $receipts, $guards);
        }
    }

    /**
     * The folders that the command has made, each read again and held against the receipt.
     *
     * @return array<string, Folder> by guest path
     */
    private function folders(Statement $statement, bool $verify): array
    {
        $folders = [];
        foreach ($statement->outcome->dirs as $dir) {
            $path = $this->invocation->out[$dir->guest] ?? null;
            if ($path === null) {
                continue;
            }
            try {
                $tree = Tree::ofFolder($path);
            } catch (Exception\InvalidArgumentException $e) {
                throw Exception\UnverifiedException::because(Reason::Dirs, $e->getMessage(), $e);
            }
            if ($verify) {
                (new Expect(out: [$dir->guest => $tree->digest()]))->check($statement);
            }
            $folders[$dir->guest] = new Folder($dir->guest, $path, $tree, $dir->files, $dir->bytes);
        }
        return $folders;
    }

    /**
     * What the program must be said to have been given: all of the input, or its
     * beginning where the job was cut short; null where that isn't known here.
     */
    private function given(Outcome $outcome, Child $child): ?Content
    {
        $fed = $child->fed();
        if ($fed !== null) {
            // What is written into a pipe need not be handed over.
            return $outcome->stdinComplete ? $fed : null;
        }
        $all = $this->invocation->stdin?->content ?? new Content(Digest::EMPTY, 0);
        $cut = in_array($outcome->status, [Status::Timeout, Status::Cancelled, Status::EngineFailed], true);
        if (!$cut || $outcome->stdinBytes >= $all->bytes) {
            return $all;
        }
        if ($outcome->stdinHash !== $this->invocation->stdin?->prefix($outcome->stdinBytes)) {
            $detail = "the receipt is about $outcome->stdinBytes bytes that are not the beginning of the input";
            throw Exception\UnverifiedException::because(Reason::Stdin, $detail);
        }
        return null;
    }

    /** The command has ended without a word that can be understood. */
    private function silent(Child $child): ProcessException
    {
        $command = $this->invocation->binary->command;
        $how = $child->ending();
        $said = Json\Text::line($this->words);
        return new ProcessException(
            "$command $how and said " . ($said === '' ? 'nothing' : "only: $said"),
            $child->exitCode(),
            $child->signal(),
        );
    }
}
