<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\MalformedOutputException;
use Plasm\Exception\MisuseException;

/**
 * What came of a job that started, whatever it was.
 */
final class Result
{
    /** How the job ended. */
    public readonly Status $status;
    /** The program's exit code, 0 to 4294967295; null when the status is not Exit. */
    public readonly ?int $exitCode;

    /**
     * @param string    $stdout    what the program wrote there; "" when it was streamed
     * @param string    $stderr    likewise
     * @param Receipt   $receipt   the signed envelope, to keep
     * @param Statement $statement what it says: manifest, outcome, node, times
     * @param bool      $verified  whether it was verified; false only where the caller turned that off
     * @param bool      $streamed  whether the output went to a callback and isn't here
     * @param list<string> $trace  of a trap, the functions that were running, the innermost first: the word of the
     *                             worker that ran the program, which the receipt does not have
     * @param bool $reused         whether an earlier run of the same job gave it, from the folder of --results
     * @param array<string, Folder> $folders what the program has left in those of {@see Job::out()}, by their paths
     *                                       in the program; none when the job was cut short
     * @param list<Receipt> $receipts of the nodes that agree, where a quorum was asked for
     *
     * @internal
     */
    public function __construct(
        public readonly string $stdout,
        public readonly string $stderr,
        public readonly Receipt $receipt,
        public readonly Statement $statement,
        public readonly bool $verified,
        public readonly bool $streamed,
        public readonly array $trace = [],
        public readonly bool $reused = false,
        public readonly array $folders = [],
        public readonly array $receipts = [],
    ) {
        $this->status = $statement->outcome->status;
        $this->exitCode = $statement->outcome->exitCode;
    }

    /** Whether the program ended by itself with exit code 0. */
    public function isSuccess(): bool
    {
        return $this->exitCode === 0;
    }

    /**
     * Stdout read as JSON, objects as arrays with string keys.
     *
     * @throws MalformedOutputException when it is not JSON
     * @throws MisuseException          when the output was streamed
     */
    public function output(): mixed
    {
        if ($this->streamed) {
            throw new MisuseException('the output went to the callback, and is not in the result');
        }
        try {
            return json_decode($this->stdout, true, 512, JSON_THROW_ON_ERROR | JSON_BIGINT_AS_STRING);
        } catch (\JsonException $e) {
            throw new MalformedOutputException('the output is not JSON: ' . $e->getMessage(), 0, $e);
        }
    }
}
