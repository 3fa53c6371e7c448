<?php

declare(strict_types=1);

namespace Plasm\Exception;

use Plasm\ErrorCode;

/**
 * A command ended with an error before the job started, for a reason of this
 * machine: a key, a file, a guard that is missing.
 */
final class CommandException extends EnvironmentException
{
    /**
     * @param ?ErrorCode $errorCode what kind of error; null when only the exit code tells, as in a streamed job
     * @param ?string    $hint      what to do about it
     * @param int        $exitCode  the command's; -1 where that can't be known
     */
    public function __construct(
        string $message,
        public readonly ?ErrorCode $errorCode,
        public readonly ?string $hint,
        public readonly int $exitCode,
    ) {
        parent::__construct($message);
    }
}
