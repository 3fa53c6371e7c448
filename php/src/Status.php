<?php

declare(strict_types=1);

namespace Plasm;

/**
 * How a job that started has ended.
 */
enum Status: string
{
    /** The program ended by itself, with an exit code. */
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
    /** Somebody, or plasm itself, stopped it. */
    case Cancelled = 'cancelled';
    /** The worker died or spoke nonsense, and no limit explains it. */
    case EngineFailed = 'engine_failed';

    /** @return list<string> */
    public static function words(): array
    {
        return array_map(static fn (self $s): string => $s->value, self::cases());
    }
}
