<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\InvalidArgumentException;
use Plasm\Json\Scanner;
use Plasm\Json\Text;
use Plasm\Transport\Limits;

/**
 * A job: a WebAssembly (WASI preview 1) program, its input and its limits.
 * Immutable: every method returns a changed copy.
 *
 *     $job = Job::fromFile('count.wasm')->args('-v')->stdin('to be')->timeoutMs(5000);
 *
 * Arguments and environment are written into the receipt; of the input only a
 * digest is. Random numbers are predictable unless {@see deterministic()} says
 * otherwise: make no keys or tokens in a deterministic job.
 */
final class Job
{
    /** @var list<string> */
    private array $args = [];
    /** @var array<array-key, string> */
    private array $env = [];
    /** @var string|resource|null */
    private mixed $stdin = null;
    private ?string $stdinFile = null;
    /** @var array<string, array{string, bool}> host folder and whether it is read only, by guest path */
    private array $dirs = [];
    /** @var array<string, string> file or folder of the host that travels, by guest path */
    private array $in = [];
    /** @var array<string, string> folder of the host that is made, by guest path */
    private array $out = [];
    private int $diskMb = 256;
    private int $memoryMb = 256;
    private int $timeoutMs = 60000;
    private ?int $fuel = null;
    private int $outputLimit = 16777216;
    private bool $deterministic = true;
    private int $seed = 0;
    private bool $canonicalNan = false;
    private ?string $engine = null;
    private bool $stream = false;

    /**
     * @param ?string $file   the module's absolute path, or null
     * @param string  $module its bytes, when there is no file
     */
    private function __construct(private readonly ?string $file, private readonly string $module)
    {
    }

    /**
     * A job that runs the module in a file.
     *
     * @throws InvalidArgumentException when there is no such file
     */
    public static function fromFile(string $path): self
    {
        $real = str_contains($path, "\0") ? false : realpath($path);
        if ($real === false || !is_file($real)) {
            throw new InvalidArgumentException('no such module: ' . Text::quote($path));
        }
        return new self($real, '');
    }

    /** A job that runs the module of these bytes, which are not WebAssembly text. */
    public static function fromBytes(string $module): self
    {
        return new self(null, $module);
    }

    /**
     * The program's arguments, argv from 1 on; argv[0] is always "module".
     *
     * @throws InvalidArgumentException when one is not UTF-8 without NUL
     */
    public function args(string ...$args): self
    {
        foreach ($args as $i => $arg) {
            if (!Text::isArgument($arg)) {
                throw new InvalidArgumentException("args[$i] is not UTF-8 without NUL");
            }
        }
        return $this->with('args', array_values($args));
    }

    /**
     * The program's environment: these variables, and no others.
     *
     * @param array<array-key, string> $env by name
     *
     * @throws InvalidArgumentException for a name that is empty or has "=", and for text that isn't UTF-8 without NUL
     */
    public function env(array $env): self
    {
        foreach ($env as $name => $value) {
            if (!is_string($value) || !Manifest::isVariable((string) $name) || !Text::isArgument($value)) {
                throw new InvalidArgumentException('env: not a variable: ' . Text::quote((string) $name));
            }
        }
        return $this->with('env', $env);
    }

    /**
     * The program's input.
     *
     * A string, and a stream that can be seeked, is known in full before the job
     * starts; a stream is read from where it stands to its end when the job starts.
     * What can't be seeked, such as a pipe or a socket, is passed on as it comes to a
     * job that runs here or is streamed ({@see stream()}), and else read to its end
     * first.
     *
     * @param string|resource $bytesOrStream the bytes themselves, or an open stream; no file name
     *
     * @throws InvalidArgumentException when it is neither
     */
    public function stdin(mixed $bytesOrStream): self
    {
        if (!is_string($bytesOrStream) && !self::isStream($bytesOrStream)) {
            throw new InvalidArgumentException('stdin is a string or an open stream, not '
                . get_debug_type($bytesOrStream));
        }
        return $this->with('stdin', $bytesOrStream)->with('stdinFile', null);
    }

    /**
     * The program's input is what this file holds.
     *
     * @throws InvalidArgumentException when there is no such file
     */
    public function stdinFile(string $path): self
    {
        $real = str_contains($path, "\0") ? false : realpath($path);
        if ($real === false || !is_file($real)) {
            throw new InvalidArgumentException('no such input: ' . Text::quote($path));
        }
        return $this->with('stdinFile', $real)->with('stdin', null);
    }

    /** Linear memory, 1 to 4096 units of 2^20 bytes; 256 when not said. */
    public function memory(int $mb): self
    {
        return $this->number('memoryMb', $mb, 1, Manifest::MAX_MEMORY_MB);
    }

    /** Wall time of the program, 1 to 604800000 milliseconds; 60000 when not said. */
    public function timeoutMs(int $ms): self
    {
        return $this->number('timeoutMs', $ms, 1, Manifest::MAX_TIMEOUT_MS);
    }

    /** Fuel, 1 to 2^53-1 units of about one instruction; null, the default: not counted, which is faster. */
    public function fuel(?int $units): self
    {
        return $units === null ? $this->with('fuel', null) : $this->number('fuel', $units, 1, Scanner::MAX_INT);
    }

    /** Stdout and stderr together, 0 to 2^53-1 bytes; 16777216 when not said. */
    public function outputLimit(int $bytes): self
    {
        return $this->number('outputLimit', $bytes, 0, Scanner::MAX_INT);
    }

    /** Whether clock, sleep and random numbers are simulated, so that the job can be repeated; true when not said. */
    public function deterministic(bool $deterministic): self
    {
        return $this->with('deterministic', $deterministic);
    }

    /** What simulated random numbers are made from, 0 to 2^53-1; 0 when not said. */
    public function seed(int $seed): self
    {
        return $this->number('seed', $seed, 0, Scanner::MAX_INT);
    }

    /** Whether NaNs have the same bits on every processor, at a cost; false when not said. */
    public function canonicalNan(bool $canonical = true): self
    {
        return $this->with('canonicalNan', $canonical);
    }

    /**
     * What executes the module, such as wazero; null, the default: whatever there is.
     *
     * @throws InvalidArgumentException when it is not 1 to 32 of a-z 0-9 -
     */
    public function engine(?string $name): self
    {
        if ($name !== null && !Text::isName($name, true)) {
            throw new InvalidArgumentException('engine: ' . Text::quote($name) . ' is not 1 to 32 of a-z 0-9 -');
        }
        return $this->with('engine', $name);
    }

    /**
     * Gives the program a file or folder of this machine to read, here or on a node. It is read when the job is
     * started, and its {@see Tree} is part of the manifest: links and whether a file is executable travel; owners,
     * times and other modes don't. A file is in the nearest such folder around it, else in one that is its parent.
     *
     * @param string $path  the file or folder
     * @param string $guest what the program calls it, an absolute path; another call for the same takes its place
     *
     * @throws InvalidArgumentException when there is no such file or folder, or $guest can't be. What can't travel,
     *                                  such as a device or a link that leads out, is refused when the job is started
     */
    public function in(string $path, string $guest): self
    {
        $real = str_contains($path, "\0") ? false : realpath($path);
        if ($real === false) {
            throw new InvalidArgumentException('no such file or folder: ' . Text::quote($path));
        }
        return $this->with('in', [self::guest($guest, '::') => $real] + $this->in);
    }

    /**
     * Makes a folder of this machine of what the program leaves in a folder of its own, here or on a node. That
     * begins empty, or as the {@see in()} of the same $guest. The folder is made whole or not at all, when the job
     * has ended by itself; the result has it in {@see Result::$folders}, held against the receipt in PHP.
     *
     * @param string $guest what the program calls it, an absolute path; another call for the same takes its place
     * @param string $path  the folder, which must not be there, or be empty
     *
     * @throws InvalidArgumentException when $guest or $path can't be; for a $path that is taken when the job is run
     */
    public function out(string $guest, string $path): self
    {
        return $this->with('out', [self::guest($guest, '::') => (string) Limits::path($path)] + $this->out);
    }

    /** What the program may have in the folders of {@see out()}: 0 to 1048576 units of 2^20 bytes; 256 when not said. */
    public function disk(int $mb): self
    {
        return $this->number('diskMb', $mb, 0, Manifest::MAX_DISK_MB);
    }

    /**
     * Lets the program use a live folder of this machine, as `plasm-run --dir` does: it sees what others change there
     * meanwhile, and what it writes is there at once. The receipt says nothing of what is in it, and a job with one
     * runs on no node; {@see in()} and {@see out()} are for that.
     *
     * @param string $host     the folder
     * @param string $guest    what the program calls it, an absolute path
     * @param bool   $readOnly whether it may only read; when not said it may write, too
     *
     * @throws InvalidArgumentException when there is no such folder, or its name holds "::", or $guest isn't absolute
     */
    public function dir(string $host, string $guest, bool $readOnly = false): self
    {
        $real = str_contains($host, "\0") ? false : realpath($host);
        if ($real === false || !is_dir($real) || str_contains($real, '::')) {
            throw new InvalidArgumentException('not a folder that can be passed on: ' . Text::quote($host));
        }
        return $this->with('dirs', [self::guest($guest, ':') => [$real, $readOnly]] + $this->dirs);
    }

    /**
     * Passes input and output on as they come when the job runs on a node: one node, no second attempt, and what
     * came is verified only at the end. A job that runs here doesn't need it.
     */
    public function stream(bool $stream = true): self
    {
        return $this->with('stream', $stream);
    }

    /**
     * @return list<string>
     *
     * @internal
     */
    public function arguments(): array
    {
        return $this->args;
    }

    /** @internal */
    public function source(): JobSource
    {
        return new JobSource(
            $this->file,
            $this->module,
            $this->stdin,
            $this->stdinFile,
            $this->dirs,
            $this->in,
            $this->out,
            $this->stream,
            $this->timeoutMs,
            $this->outputLimit,
        );
    }

    /**
     * What the jobs of a batch have in common, this one being the first: items say the rest.
     *
     * @throws InvalidArgumentException for a job that is none for a batch
     *
     * @internal
     */
    public function common(): self
    {
        if ($this->dirs !== [] || $this->in !== [] || $this->out !== [] || $this->stream) {
            throw new InvalidArgumentException('map() takes no jobs with folders or streams: a Pool does');
        }
        return $this->args()->env([])->fuel(null)->with('stdin', null)->with('stdinFile', null);
    }

    /**
     * The members of a line of a batch of $base, but for the input.
     *
     * @return array<string, mixed>
     *
     * @throws InvalidArgumentException when the job differs from $base in what a line can't say
     *
     * @internal
     */
    public function item(self $base): array
    {
        $common = $this->common();
        foreach (['file', 'module', 'deterministic', 'canonicalNan', 'engine'] as $property) {
            if ($common->$property !== $base->$property) {
                throw new InvalidArgumentException("an item of map() differs from the job in its $property");
            }
        }
        return array_filter([
            'args' => $this->args,
            'env' => $this->env === [] ? null : (object) $this->env,
            'memory_mb' => $this->memoryMb,
            'timeout_ms' => $this->timeoutMs,
            'fuel' => $this->fuel,
            'output_limit_bytes' => $this->outputLimit,
            'disk_mb' => $this->diskMb,
            'seed' => $this->seed,
        ], static fn (mixed $v): bool => $v !== null);
    }

    /**
     * The manifest of this job, with a new id.
     *
     * @param list<Dir> $dirs the folders that travel with it
     *
     * @internal
     */
    public function manifest(
        string $moduleHash,
        ?string $stdinHash,
        ?string $arch,
        int $cpuCores,
        array $dirs,
    ): Manifest {
        // The commands put live folders behind those that travel.
        foreach ($this->dirs as $guest => [, $readOnly]) {
            $dirs[] = new Dir($guest, $readOnly);
        }
        return new Manifest(
            id: bin2hex(random_bytes(16)),
            moduleHash: $moduleHash,
            args: $this->args,
            env: $this->env,
            stdinHash: $stdinHash,
            dirs: $dirs,
            cpuCores: $cpuCores,
            memoryMb: $this->memoryMb,
            diskMb: $this->diskMb,
            timeoutMs: $this->timeoutMs,
            fuel: $this->fuel,
            outputLimitBytes: $this->outputLimit,
            deterministic: $this->deterministic,
            seed: $this->seed,
            canonicalNan: $this->canonicalNan,
            arch: $arch,
            engine: $this->engine,
        );
    }

    private static function guest(string $path, string $without): string
    {
        if (!Dir::isGuest($path) || str_contains($path, $without)) {
            throw new InvalidArgumentException(
                "not an absolute path without \"$without\", empty, . or .. parts or a final /: " . Text::quote($path),
            );
        }
        return $path;
    }

    private static function isStream(mixed $value): bool
    {
        return is_resource($value) && get_resource_type($value) === 'stream';
    }

    private function with(string $property, mixed $value): self
    {
        $copy = clone $this;
        $copy->$property = $value;
        return $copy;
    }

    private function number(string $property, int $value, int $low, int $high): self
    {
        if ($value < $low || $value > $high) {
            throw new InvalidArgumentException("$property: $value is not in {$low}…$high");
        }
        return $this->with($property, $value);
    }
}
