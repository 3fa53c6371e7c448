<?php

declare(strict_types=1);

namespace Plasm\Exception;

use Plasm\Result;

/**
 * The program used up its fuel or memory, or wrote too much.
 */
final class OutOfResourceException extends OutcomeException
{
    /**
     * @param Result $result what came of the job, its output and its receipt
     */
    public function __construct(string $message, public readonly Result $result)
    {
        parent::__construct($message);
    }
}
