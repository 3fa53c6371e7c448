<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Json\Fields;
use Plasm\Json\Rule;
use Plasm\Json\Scanner;
use Plasm\Json\Text;

/**
 * What happened to a job that started, as the node that ran it says.
 */
final class Outcome
{
    // list of traps in PHP, written by make docs
    /** What a program can do to be stopped at once. */
    public const TRAPS = [
        'unreachable', 'stack_overflow', 'out_of_bounds_memory_access', 'out_of_bounds_table_access',
        'indirect_call_type_mismatch', 'null_reference', 'integer_divide_by_zero', 'integer_overflow',
        'invalid_conversion_to_integer', 'uncaught_exception', 'unaligned_atomic', 'other',
    ];
    // end of words

    /**
     * @param ?int    $exitCode      0 to 4294967295, exactly when the status is Exit
     * @param ?string $trap          one of {@see TRAPS}, exactly when the status is Trap
     * @param string  $stdinHash     digest of what was handed to the worker
     * @param int     $stdinBytes    its length
     * @param bool    $stdinComplete whether end of file was handed over too
     * @param int     $stdoutBytes   bytes, after the output limit
     * @param int     $stderrBytes   bytes, after the output limit
     * @param bool    $truncated     whether output was cut
     * @param list<OutcomeDir> $dirs the travelling folders that the program could write, in the manifest's order;
     *                               none where what they hold is not known
     * @param ?int    $fuelUsed      units; null when fuel was not counted
     * @param int     $memoryBytes   the most linear memory that the program had
     * @param int     $wallTimeUs    microseconds from the program's start to its end
     * @param int     $cpuTimeUs     microseconds of the worker process, user and system
     * @param int     $compileTimeUs microseconds; 0 when the compiled module came from the cache
     * @param bool    $compileCached whether it did
     */
    private function __construct(
        public readonly Status $status,
        public readonly ?int $exitCode,
        public readonly ?string $trap,
        public readonly string $stdinHash,
        public readonly int $stdinBytes,
        public readonly bool $stdinComplete,
        public readonly int $stdoutBytes,
        public readonly int $stderrBytes,
        public readonly bool $truncated,
        public readonly array $dirs,
        public readonly ?int $fuelUsed,
        public readonly int $memoryBytes,
        public readonly int $wallTimeUs,
        public readonly int $cpuTimeUs,
        public readonly int $compileTimeUs,
        public readonly bool $compileCached,
    ) {
    }

    /** @internal */
    public static function fromValue(mixed $value, string $path): self
    {
        $f = new Fields($value, $path);
        $max = Scanner::MAX_INT;
        $outcome = new self(
            status: Status::from($f->oneOf('status', ...Status::words())),
            exitCode: $f->optInt('exit_code', 0, 0xFFFFFFFF),
            trap: $f->optNonEmpty('trap'),
            stdinHash: $f->digest('stdin_hash'),
            stdinBytes: $f->int('stdin_bytes', 0, $max),
            stdinComplete: $f->bool('stdin_complete'),
            stdoutBytes: $f->int('stdout_bytes', 0, $max),
            stderrBytes: $f->int('stderr_bytes', 0, $max),
            truncated: $f->bool('truncated'),
            dirs: array_map(OutcomeDir::fromFields(...), $f->optObjects('dirs')),
            fuelUsed: $f->optInt('fuel_used', 0, $max),
            memoryBytes: $f->int('memory_bytes', 0, $max),
            wallTimeUs: $f->int('wall_time_us', 0, $max),
            cpuTimeUs: $f->int('cpu_time_us', 0, $max),
            compileTimeUs: $f->int('compile_time_us', 0, $max),
            compileCached: $f->bool('compile_cached'),
        );
        $f->close();
        $outcome->check($f);
        return $outcome;
    }

    private function check(Fields $f): void
    {
        $status = $this->status->value;
        if (($this->exitCode !== null) !== ($this->status === Status::Exit)) {
            throw $f->fail('exit_code', Rule::Conflict, "goes with status exit and no other, not $status");
        }
        if (($this->trap !== null) !== ($this->status === Status::Trap)) {
            throw $f->fail('trap', Rule::Conflict, "goes with status trap and no other, not $status");
        }
        if ($this->trap !== null && !in_array($this->trap, self::TRAPS, true)) {
            $problem = Text::quote($this->trap) . ' is not one of ' . implode(', ', self::TRAPS);
            throw $f->fail('trap', Rule::Value, $problem);
        }
        $this->checkDirs($f);
    }

    private function checkDirs(Fields $f): void
    {
        if ($this->dirs !== [] && !in_array($this->status, [Status::Exit, Status::Trap, Status::OutOfFuel], true)) {
            $problem = "goes with status exit, trap and out_of_fuel, not {$this->status->value}";
            throw $f->fail('dirs', Rule::Conflict, $problem);
        }
        if (count($this->dirs) > Manifest::MAX_DIRS) {
            throw $f->fail('dirs', Rule::Count, count($this->dirs) . ' are more than ' . Manifest::MAX_DIRS);
        }
        $seen = [];
        foreach ($this->dirs as $i => $dir) {
            if (isset($seen[$dir->guest])) {
                throw $f->fail("dirs[$i].guest", Rule::Repeated, Text::quote($dir->guest) . ' is there twice');
            }
            $seen[$dir->guest] = true;
        }
    }

    /** How the job ended in a word or two: "exit 0", "trap unreachable", "timeout". */
    public function ending(): string
    {
        return trim($this->status->value . ' ' . ($this->exitCode ?? $this->trap ?? ''));
    }
}
