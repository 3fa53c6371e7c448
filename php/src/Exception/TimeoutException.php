<?php

declare(strict_types=1);

namespace Plasm\Exception;

use Plasm\Result;

/**
 * The program ran out of time, or a deadline passed: of the command, or of this call.
 */
final class TimeoutException extends OutcomeException
{
    /**
     * @param ?Result $result what came of the job, or null when it never started or its result did not come
     */
    public function __construct(string $message, public readonly ?Result $result = null)
    {
        parent::__construct($message);
    }
}
