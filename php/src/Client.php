<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\CancelledException;
use Plasm\Exception\DocumentException;
use Plasm\Exception\EnvironmentException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\OutcomeException;
use Plasm\Exception\TimeoutException;
use Plasm\Exception\UnverifiedException;
use Plasm\Transport\LocalTransport;
use Plasm\Transport\Transport;

/**
 * Runs jobs, and returns nothing whose receipt was not verified, in PHP.
 *
 *     $result = (new Client())->run(Job::fromFile('hello.wasm')->stdin('hello'));
 *     echo $result->stdout; // olleh
 */
final class Client
{
    /**
     * @param Transport $transport                  where jobs run
     * @param bool      $dangerouslySkipVerification take what the command says as it is. Receipts must still be
     *                                               well-formed
     */
    public function __construct(
        private readonly Transport $transport = new LocalTransport(),
        private readonly bool $dangerouslySkipVerification = false,
    ) {
    }

    /**
     * Runs a job and waits for its end, whatever that is.
     *
     * @throws InvalidArgumentException when the job, its module or its input can't be
     * @throws EnvironmentException     when something about this machine or its network is not as it must be
     * @throws UnverifiedException      when the receipt does not hold
     * @throws TimeoutException         when the call's own deadline passed; that of the job is a result
     * @throws CancelledException       when somebody ended the command before the job started
     * @throws OutcomeException         when the result is larger than the transport takes
     * @throws DocumentException        when a manifest or receipt is of a version that this SDK doesn't know
     */
    public function run(Job $job): Result
    {
        return $this->start($job)->wait();
    }

    /**
     * Runs a job that must succeed: its program ends by itself with exit code 0.
     *
     * @throws Exception\GuestFailedException   when it ended with another code, or trapped
     * @throws TimeoutException                 when it ran out of time
     * @throws Exception\OutOfResourceException when it used up fuel or memory, or wrote too much
     * @throws Exception\EngineFailedException  when the process that ran it died
     * @throws CancelledException               when it was cancelled
     * @throws InvalidArgumentException         as {@see run()}
     * @throws EnvironmentException             as {@see run()}
     * @throws UnverifiedException              as {@see run()}
     * @throws DocumentException                as {@see run()}
     */
    public function mustRun(Job $job): Result
    {
        return Failure::unlessSuccess($this->run($job));
    }

    /**
     * Starts a job and returns at once.
     *
     * The job is driven by the methods of the handle, and by nothing else: call
     * {@see Handle::poll()} now and then. When the handle goes, the job is ended.
     *
     * @param (callable(Chunk): void)|null $onOutput takes output as it comes, in constant memory and before it is
     *                                               verified; the result then has none. On a node that takes a job
     *                                               with {@see Job::stream()}. What it throws ends the job and comes
     *                                               out of the handle's method
     *
     * @throws InvalidArgumentException as {@see run()}
     * @throws EnvironmentException     as {@see run()}
     */
    public function start(Job $job, ?callable $onOutput = null): Handle
    {
        $invocation = $this->transport->prepare($job, $onOutput !== null);
        $onOutput = $onOutput === null ? null : $onOutput(...);
        return new Handle($invocation, $onOutput, !$this->dangerouslySkipVerification);
    }

    /**
     * Runs many jobs of one module through one process, as many at a time as this machine or the nodes have room for,
     * and yields each in the order of the items, under its key. Items are taken as there is room, so they may come
     * from a generator without end: memory stays the same. Leaving the loop ends what runs. A job that fails does not
     * end the others.
     *
     *     foreach ($client->map($job, ['one', 'two']) as $key => $settled) {
     *         echo $settled->get()->stdout;
     *     }
     *
     * Each result is verified in PHP against its item: module, arguments, environment, limits and input. The id of
     * the job is drawn by the command, which alone can tell that a receipt is not of an earlier run of the same job.
     *
     * @template K
     *
     * @param Job                     $job   what they have in common: module, engine, deterministic(), canonicalNan()
     * @param iterable<K, Job|string> $items each made from $job by args(), env(), stdin(), limits or seed(); a string
     *                                       is one more argument of $job
     *
     * @return \Generator<K, Settled>
     *
     * @throws InvalidArgumentException as {@see run()}
     * @throws EnvironmentException     as {@see run()}, also when nothing runs any of the jobs
     */
    public function map(Job $job, iterable $items): \Generator
    {
        $batch = new Batch($this->transport->prepareBatch($job->common()), $job, !$this->dangerouslySkipVerification);
        yield from $batch->run($items);
    }
}
