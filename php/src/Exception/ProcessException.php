<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * A command could not be started, or ended without a word: no descriptors left, no
 * room for temporary files, killed by somebody.
 */
final class ProcessException extends EnvironmentException
{
    /**
     * @param ?int $exitCode the command's; null when it did not end by itself, and where that can't be known
     * @param ?int $signal   the signal that ended it, or null
     */
    public function __construct(
        string $message,
        public readonly ?int $exitCode = null,
        public readonly ?int $signal = null,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, 0, $previous);
    }
}
