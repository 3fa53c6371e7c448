<?php

declare(strict_types=1);

namespace Plasm\Transport;

use Plasm\Exception\EnvironmentException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Job;

/**
 * Where jobs run: {@see LocalTransport} here, {@see RemoteTransport} on a node.
 */
interface Transport
{
    /**
     * Says how a job is run. Nothing is started, but input may be read.
     *
     * @param bool $live whether output is to be passed on as it comes
     *
     * @throws InvalidArgumentException when this transport can't run such a job
     * @throws EnvironmentException     when a command or a key that it needs isn't there
     */
    public function prepare(Job $job, bool $live): Invocation;

    /**
     * Says how a batch is run, whose lines come on standard input.
     *
     * @param Job $job what all jobs of it have in common
     *
     * @throws InvalidArgumentException when this transport can't run such jobs
     * @throws EnvironmentException     when a command or a key that it needs isn't there
     */
    public function prepareBatch(Job $job): Invocation;
}
