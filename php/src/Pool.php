<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\PlasmException;

/**
 * Runs many jobs, some at a time.
 */
final class Pool
{
    /** select() takes descriptors below 1024, and a job has up to eight. */
    private const MAX = 100;

    /**
     * @param Client $client      runs the jobs
     * @param int    $concurrency how many at a time, 1 to 100
     *
     * @throws InvalidArgumentException for another number
     */
    public function __construct(private readonly Client $client, private readonly int $concurrency)
    {
        Transport\Limits::range('concurrency', $concurrency, 1, self::MAX);
    }

    /**
     * Yields each job as it ends, under the key that it has in $jobs. Leaving the
     * loop ends those that run. A job that fails does not end the others.
     *
     * @template K
     *
     * @param iterable<K, Job> $jobs is taken from as there is room, so it may be a generator
     *
     * @return \Generator<K, Settled>
     */
    public function run(iterable $jobs): \Generator
    {
        $rest = (static fn (): \Generator => yield from $jobs)();
        /** @var array<int, array{K, Job, Handle}> $running */
        $running = [];
        $taken = false;
        while (true) {
            while (count($running) < $this->concurrency && self::more($rest, $taken)) {
                [$key, $job] = [$rest->key(), $rest->current()];
                $taken = true;
                try {
                    $running[] = [$key, $job, $this->client->start($job)];
                } catch (PlasmException $e) {
                    yield $key => new Settled($job, null, $e);
                }
            }
            if ($running === []) {
                return;
            }
            Handle::advance(array_values(array_map(static fn (array $r): Handle => $r[2], $running)), 100);
            foreach ($running as $i => [$key, $job, $handle]) {
                if ($handle->hasEnded()) {
                    unset($running[$i]);
                    yield $key => self::settle($job, $handle);
                }
            }
        }
    }

    /** Whether there is another job; the next one is not asked for before there is room. */
    private static function more(\Generator $jobs, bool &$taken): bool
    {
        if ($taken) {
            $jobs->next();
            $taken = false;
        }
        return $jobs->valid();
    }

    private static function settle(Job $job, Handle $handle): Settled
    {
        try {
            return new Settled($job, $handle->wait(), null);
        } catch (PlasmException $e) {
            return new Settled($job, null, $e);
        }
    }
}
