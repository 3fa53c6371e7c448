<?php

declare(strict_types=1);

namespace Plasm;

/**
 * How a job that started has ended.
 */
enum Status: string
{
    // cases of Status, written by make docs
    /** The program ended by itself, with exit_code, 0 to 4294967295. */
    case Exit = 'exit';
    /** It did what WebAssembly forbids. */
    case Trap = 'trap';
    /** timeout_ms passed. */
    case Timeout = 'timeout';
    /** Its fuel was used up. */
    case OutOfFuel = 'out_of_fuel';
    /** Its process ran into the outer bound of its memory. */
    case OutOfMemory = 'out_of_memory';
    /** It wrote more than output_limit_bytes; what it wrote is cut to the byte. */
    case OutputLimit = 'output_limit';
    /** A signal ended it, or plasm itself had to. */
    case Cancelled = 'cancelled';
    /** The worker process died or broke the protocol, and no limit explains it. */
    case EngineFailed = 'engine_failed';
    // end of words

    /** @return list<string> */
    public static function words(): array
    {
        return array_map(static fn (self $s): string => $s->value, self::cases());
    }
}
