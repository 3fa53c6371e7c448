<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\PlasmException;

/**
 * A job of a {@see Pool} that has ended, well or not.
 */
final class Settled
{
    /**
     * @param Job             $job    which job
     * @param ?Result         $result what came of it; null when there is none
     * @param ?PlasmException $error  why there is none
     *
     * @internal
     */
    public function __construct(
        public readonly Job $job,
        public readonly ?Result $result,
        public readonly ?PlasmException $error,
    ) {
    }

    /**
     * What came of the job.
     *
     * @throws PlasmException as {@see Client::run()}
     */
    public function get(): Result
    {
        return $this->result ?? throw $this->error;
    }
}
