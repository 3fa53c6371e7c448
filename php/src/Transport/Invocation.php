<?php

declare(strict_types=1);

namespace Plasm\Transport;

use Plasm\Expect;
use Plasm\Process\Binary;
use Plasm\Process\Spool;
use Plasm\Verifier;

/**
 * How a job is run: the command, what it gets, and what must come back.
 *
 * The command finds the manifest at descriptor 5 and the module, where it has no
 * file, at 6. Where output is passed on as it comes, the receipt goes to
 * descriptor 3 and the program's stderr to 4, so that neither gets mixed up with
 * the command's own words.
 *
 * @internal
 */
final class Invocation
{
    public const RECEIPT = 3;
    public const STDERR = 4;
    public const MANIFEST = 5;
    public const MODULE = 6;
    public const NODES = 7;

    /**
     * @param Binary                $binary         what is started
     * @param list<string>          $arguments      its arguments
     * @param array<string, string> $env            its environment
     * @param array<int, Spool>     $files          what it reads, by its descriptor
     * @param mixed                 $source         a stream that is passed on to its stdin, or null
     * @param ?Spool                $stdin          the input, where all of it is known
     * @param Expect                $expect         module, manifest and guards that the receipt must be about
     * @param Verifier              $verifier       who checks it
     * @param bool                  $live           whether output is passed on as it comes
     * @param int                   $deadlineMs     milliseconds that all of it may take
     * @param int                   $maxResultBytes bytes that a result may have
     * @param array<string, string> $out            folders that are made, by the program's names for them
     * @param ?int                  $quorum         how many nodes must have signed the same; null: one
     */
    public function __construct(
        public readonly Binary $binary,
        public readonly array $arguments,
        public readonly array $env,
        public readonly array $files,
        public readonly mixed $source,
        public readonly ?Spool $stdin,
        public readonly Expect $expect,
        public readonly Verifier $verifier,
        public readonly bool $live,
        public readonly int $deadlineMs,
        public readonly int $maxResultBytes,
        public readonly array $out,
        public readonly ?int $quorum = null,
    ) {
    }
}
