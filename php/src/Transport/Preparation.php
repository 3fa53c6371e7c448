<?php

declare(strict_types=1);

namespace Plasm\Transport;

use Plasm\Digest;
use Plasm\Exception\DocumentException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Expect;
use Plasm\Job;
use Plasm\JobSource;
use Plasm\Manifest;
use Plasm\Process\Binary;
use Plasm\Process\Environment;
use Plasm\Process\Spool;
use Plasm\Verifier;

/**
 * What both transports do with a job before it is run. The SDK makes the
 * manifest, with an id of its own: so a receipt can be held to exactly what was
 * asked, and an old one is no answer.
 *
 * @internal
 */
final class Preparation
{
    public readonly JobSource $source;
    public readonly Manifest $manifest;
    /** @var array<int, Spool> */
    private array $files = [];
    private ?Spool $stdin = null;
    private mixed $feed = null;
    private string $module;

    /**
     * @param Job     $job      the job
     * @param bool    $piped    whether input that can't be seeked may be passed on as it comes
     * @param ?string $arch     as the manifest has it
     * @param int     $cpuCores as the manifest has it
     * @param bool    $batch    whether it is what the jobs of a batch have in common, and so without input
     */
    public function __construct(
        Job $job,
        bool $piped,
        ?string $arch = null,
        int $cpuCores = 1,
        private readonly bool $batch = false,
    ) {
        $this->source = $source = $job->source();
        if ($source->file !== null) {
            $this->module = $source->file;
            $moduleHash = Digest::ofFile($source->file);
        } else {
            $this->module = '/dev/fd/' . Invocation::MODULE;
            $this->files[Invocation::MODULE] = Spool::ofString($source->module);
            $moduleHash = $this->files[Invocation::MODULE]->content->digest;
        }
        $this->openInput($source, $piped);
        $stdinHash = match (true) {
            $this->feed !== null, $batch => null,
            default => $this->stdin?->content->digest ?? Digest::EMPTY,
        };
        $dirs = Folders::gather($source->in, array_keys($source->out));
        $this->manifest = $job->manifest($moduleHash, $stdinHash, $arch, $cpuCores, $dirs);
        $json = $this->manifest->toJson();
        if (strlen($json) > Manifest::MAX_BYTES) {
            throw new InvalidArgumentException(
                'arguments and environment are too large: a manifest has at most ' . Manifest::MAX_BYTES . ' bytes',
            );
        }
        if ($dirs !== []) {
            try {
                Manifest::fromJson($json);
            } catch (DocumentException $e) {
                throw new InvalidArgumentException('the folders of the job: ' . $e->getMessage(), 0, $e);
            }
        }
        $this->files[Invocation::MANIFEST] = Spool::ofString($json);
    }

    private function openInput(JobSource $source, bool $piped): void
    {
        if ($source->stdinFile !== null) {
            $file = @fopen($source->stdinFile, 'rb');
            if ($file === false) {
                throw new InvalidArgumentException('the input cannot be read');
            }
            $this->stdin = Spool::ofStream($file);
        } elseif (is_string($source->stdin)) {
            $this->stdin = $source->stdin === '' ? null : Spool::ofString($source->stdin);
        } elseif ($source->stdin !== null) {
            if (!is_resource($source->stdin)) {
                throw new InvalidArgumentException('the input stream is closed');
            }
            $meta = stream_get_meta_data($source->stdin);
            // What can't be waited for can't be passed on as it comes.
            $waitable = $meta['stream_type'] === 'STDIO' || str_contains($meta['stream_type'], 'socket');
            if ($piped && !$meta['seekable'] && $waitable) {
                $this->feed = $source->stdin;
                return;
            }
            $this->stdin = Spool::ofStream($source->stdin);
        }
        if ($this->stdin !== null) {
            $this->files[0] = $this->stdin;
        }
    }

    /** Has the command find these bytes at a descriptor. */
    public function file(int $fd, string $bytes): void
    {
        $this->files[$fd] = Spool::ofString($bytes);
    }

    /**
     * @param list<string>             $flags  of the command
     * @param array<array-key, string> $env    variables of the caller's
     * @param list<string>             $guards that must have been active
     * @param ?int                     $quorum of how many nodes the answer is
     */
    public function invocation(
        Binary $binary,
        array $flags,
        array $env,
        array $guards,
        Verifier $verifier,
        bool $live,
        int $deadlineMs,
        int $maxResultBytes,
        ?int $quorum = null,
    ): Invocation {
        $output = $this->batch ? ['--batch=-', '--json'] : ['--json'];
        $output = $live
            ? ['--receipt', '/dev/fd/' . Invocation::RECEIPT, '--stderr', '/dev/fd/' . Invocation::STDERR]
            : $output;
        return new Invocation(
            binary: $binary,
            arguments: [
                ...$flags,
                ...Folders::flags($this->source->in, $this->source->out),
                ...$output,
                '--manifest',
                '/dev/fd/' . Invocation::MANIFEST,
                '--',
                $this->module,
            ],
            env: Environment::make($env),
            files: $this->files,
            source: $this->feed,
            stdin: $this->stdin,
            expect: new Expect(module: $this->manifest->moduleHash, manifest: $this->manifest, guards: $guards),
            verifier: $verifier,
            live: $live,
            deadlineMs: $deadlineMs,
            maxResultBytes: $maxResultBytes,
            out: $this->source->out,
            quorum: $quorum,
        );
    }
}
