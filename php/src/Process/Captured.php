<?php

declare(strict_types=1);

namespace Plasm\Process;

/**
 * What a command that was run to its end has said.
 *
 * @internal
 */
final class Captured
{
    /**
     * @param ?int   $exitCode null when a signal ended it, and where that can't be known
     * @param string $ending   how it has ended, for people
     */
    public function __construct(
        public readonly ?int $exitCode,
        public readonly string $ending,
        public readonly string $stdout,
        public readonly string $stderr,
    ) {
    }

    /** Its whole one line; null when it has failed. Where the exit code isn't known the line must do. */
    public function line(): ?string
    {
        $good = in_array($this->exitCode, [0, null], true) && preg_match('/^[^\n]+\n$/D', $this->stdout) === 1;
        return $good ? substr($this->stdout, 0, -1) : null;
    }
}
