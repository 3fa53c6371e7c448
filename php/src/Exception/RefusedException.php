<?php

declare(strict_types=1);

namespace Plasm\Exception;

use Plasm\Rejection;

/**
 * Every node that was asked refused the job.
 */
final class RefusedException extends EnvironmentException
{
    /**
     * @param list<Rejection> $nodes what each node that was looked at said, or why it was left out
     * @param ?string         $hint  what to do about it
     */
    public function __construct(
        string $message,
        public readonly array $nodes = [],
        public readonly ?string $hint = null,
    ) {
        parent::__construct($message);
    }
}
