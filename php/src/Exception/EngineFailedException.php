<?php

declare(strict_types=1);

namespace Plasm\Exception;

use Plasm\Result;

/**
 * The process that ran the program died or spoke nonsense, and no limit explains it.
 */
final class EngineFailedException extends OutcomeException
{
    /**
     * @param Result $result what came of the job, its output and its receipt
     */
    public function __construct(string $message, public readonly Result $result)
    {
        parent::__construct($message);
    }
}
