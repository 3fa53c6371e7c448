<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * A command is of another version than this SDK can work with: it doesn't know a
 * flag, or speaks other documents.
 */
final class BinaryVersionException extends EnvironmentException
{
    /**
     * @param string $binary  the command's path
     * @param string $version what it says its version is
     */
    public function __construct(
        string $message,
        public readonly string $binary,
        public readonly string $version,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, 0, $previous);
    }
}
