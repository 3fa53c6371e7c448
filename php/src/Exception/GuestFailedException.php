<?php

declare(strict_types=1);

namespace Plasm\Exception;

use Plasm\Result;

/**
 * The program ended by itself with another exit code than 0, or trapped.
 */
final class GuestFailedException extends OutcomeException
{
    /**
     * @param Result $result what came of the job, its output and its receipt
     */
    public function __construct(string $message, public readonly Result $result)
    {
        parent::__construct($message);
    }
}
