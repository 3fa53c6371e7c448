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
    public function __construct(
        public readonly int $exitCode,
        public readonly string $stdout,
        public readonly string $stderr,
    ) {
    }
}
