<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\DocumentException;
use Plasm\Json\Fields;
use Plasm\Json\Rule;
use Plasm\Json\Scanner;
use Plasm\Json\Text;

/**
 * What is asked: module, arguments, limits, placement. Defaults are filled in.
 */
final class Manifest
{
    /** The only version that this SDK reads and writes. */
    public const VERSION = '1';
    /** The most bytes of a manifest. */
    public const MAX_BYTES = 262144;
    /** The most folders that a job can have. */
    public const MAX_DIRS = 16;
    // limits of Manifest, written by make docs
    public const MAX_CPU_CORES = 1024;
    public const MAX_MEMORY_MB = 4096;
    public const MAX_DISK_MB = 1048576;
    public const MAX_TIMEOUT_MS = 604800000;
    // end of words

    /**
     * What it is given is not checked; {@see fromJson()} does.
     *
     * @param string                   $id               32 lower-case hex digits; "" in a draft
     * @param string                   $moduleHash       digest of the module; "" in a draft
     * @param list<string>             $args             argv from 1 on
     * @param array<array-key, string> $env              by name
     * @param ?string                  $stdinHash        digest of the whole input; null when it isn't known before
     *                                                   the job starts
     * @param list<Dir>                $dirs             folders that the program may use
     * @param ?string                  $arch             as Go names it, such as amd64; null: any
     * @param ?string                  $engine           null: any
     */
    public function __construct(
        public readonly string $id,
        public readonly string $moduleHash,
        public readonly array $args = [],
        public readonly array $env = [],
        public readonly ?string $stdinHash = null,
        public readonly array $dirs = [],
        // parameters of Manifest, written by make docs
        /** 1 to 1024 cores; placement only, as a preview 1 program has one thread. */
        public readonly int $cpuCores = 1,
        /** 1 to 4096 units of 2^20 bytes of linear memory. */
        public readonly int $memoryMb = 256,
        /**
         * 0 to 1048576 units of 2^20 bytes: the files of all travelling folders that the program may write, each name
         * by its whole size in blocks of 4096 bytes; counts only where there is such a folder.
         */
        public readonly int $diskMb = 256,
        /** 1 to 604800000 milliseconds of the program's wall time (7 days). */
        public readonly int $timeoutMs = 60000,
        /** 1 to 2^53−1 units of fuel (plasm-fuel/1). Absent: not counted. */
        public readonly ?int $fuel = null,
        /** 0 to 2^53−1 bytes, stdout and stderr together. */
        public readonly int $outputLimitBytes = 16777216,
        /** Whether clock, sleep and random numbers are simulated. */
        public readonly bool $deterministic = true,
        /** 0 to 2^53−1; what simulated random numbers are made from. */
        public readonly int $seed = 0,
        /** Whether NaNs have the same bits everywhere, on every engine and kind of processor. */
        public readonly bool $canonicalNan = false,
        // end of words
        public readonly ?string $arch = null,
        public readonly ?string $engine = null,
    ) {
    }

    /**
     * Reads a complete manifest.
     *
     * @throws DocumentException                 when it breaks a rule
     * @throws Exception\UnknownVersionException when it is of another version
     */
    public static function fromJson(string $json): self
    {
        return self::read($json, false);
    }

    /**
     * Reads a manifest that may still lack id and module_hash; they are "" then.
     *
     * @throws DocumentException when it breaks a rule
     */
    public static function draft(string $json): self
    {
        return self::read($json, true);
    }

    private static function read(string $json, bool $draft): self
    {
        if (strlen($json) > self::MAX_BYTES) {
            throw self::tooLarge('manifest', strlen($json));
        }
        return self::fromValue(Scanner::parse($json), 'manifest', $draft);
    }

    /** @internal */
    public static function fromValue(mixed $value, string $path, bool $draft = false): self
    {
        $f = new Fields($value, $path);
        $f->version('version', self::VERSION);
        $max = Scanner::MAX_INT;
        $manifest = new self(
            id: $draft && !$f->has('id') ? '' : self::id($f),
            moduleHash: $draft && !$f->has('module_hash') ? '' : $f->digest('module_hash'),
            args: self::args($f),
            env: self::env($f),
            stdinHash: $f->optDigest('stdin_hash'),
            dirs: self::dirs($f),
            // reading of Manifest, written by make docs
            cpuCores: $f->optInt('cpu_cores', 1, self::MAX_CPU_CORES) ?? 1,
            memoryMb: $f->optInt('memory_mb', 1, self::MAX_MEMORY_MB) ?? 256,
            diskMb: $f->optInt('disk_mb', 0, self::MAX_DISK_MB) ?? 256,
            timeoutMs: $f->optInt('timeout_ms', 1, self::MAX_TIMEOUT_MS) ?? 60000,
            fuel: $f->optInt('fuel', 1, $max),
            outputLimitBytes: $f->optInt('output_limit_bytes', 0, $max) ?? 16777216,
            deterministic: $f->optBool('deterministic') ?? true,
            seed: $f->optInt('seed', 0, $max) ?? 0,
            canonicalNan: $f->optBool('canonical_nan') ?? false,
            // end of words
            arch: $f->has('arch') ? $f->name('arch', false) : null,
            engine: $f->has('engine') ? $f->name('engine', true) : null,
        );
        $f->close();
        // Written out in full it must fit too: defaults and escapes take room.
        if (($size = strlen($manifest->toJson())) > self::MAX_BYTES) {
            throw self::tooLarge($path, $size);
        }
        return $manifest;
    }

    /** The manifest in one line of JSON, with every field that has a default. */
    public function toJson(): string
    {
        $dir = static fn (Dir $d): array => ['guest' => $d->guest, 'read_only' => $d->readOnly]
            + ($d->tree === null ? [] : ['tree' => $d->tree]);
        $dirs = array_map($dir, $this->dirs);
        $members = [
            'version' => self::VERSION,
            'id' => $this->id,
            'module_hash' => $this->moduleHash,
            'args' => $this->args,
            'env' => (object) $this->env,
            'stdin_hash' => $this->stdinHash,
            'dirs' => $dirs === [] ? null : $dirs,
            // members of Manifest, written by make docs
            'cpu_cores' => $this->cpuCores,
            'memory_mb' => $this->memoryMb,
            'disk_mb' => $this->diskMb,
            'timeout_ms' => $this->timeoutMs,
            'fuel' => $this->fuel,
            'output_limit_bytes' => $this->outputLimitBytes,
            'deterministic' => $this->deterministic,
            'seed' => $this->seed,
            'canonical_nan' => $this->canonicalNan,
            // end of words
            'arch' => $this->arch,
            'engine' => $this->engine,
        ];
        return json_encode(
            array_filter($members, static fn (mixed $v): bool => $v !== null),
            JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR,
        );
    }

    /** The same manifest without an id, which then is equal to those of all jobs that ask for the same. */
    public function withoutId(): self
    {
        return new self(...['id' => ''] + get_object_vars($this));
    }

    /**
     * The folders that travel with the job and that the program may write.
     *
     * @return list<Dir>
     */
    public function outputs(): array
    {
        return array_values(array_filter(
            $this->dirs,
            static fn (Dir $d): bool => $d->tree !== null && !$d->readOnly,
        ));
    }

    /**
     * The name of a field in which two manifests differ, or null when they are equal field by field. One without an
     * id, as a draft has it, says nothing of the other's.
     */
    public function difference(self $other): ?string
    {
        $fields = [
            'id' => 'id', 'module_hash' => 'moduleHash', 'args' => 'args', 'stdin_hash' => 'stdinHash',
            // names of Manifest, written by make docs
            'cpu_cores' => 'cpuCores',
            'memory_mb' => 'memoryMb',
            'disk_mb' => 'diskMb',
            'timeout_ms' => 'timeoutMs',
            'fuel' => 'fuel',
            'output_limit_bytes' => 'outputLimitBytes',
            'deterministic' => 'deterministic',
            'seed' => 'seed',
            'canonical_nan' => 'canonicalNan',
            // end of words
            'arch' => 'arch', 'engine' => 'engine',
        ];
        if ($this->id === '') {
            unset($fields['id']);
        }
        foreach ($fields as $name => $property) {
            if ($this->$property !== $other->$property) {
                return $name;
            }
        }
        // Objects are compared by their fields: == would take "1" and "01" for the same.
        $dir = static fn (Dir $d): array => [$d->guest, $d->readOnly, $d->tree];
        if (array_map($dir, $this->dirs) !== array_map($dir, $other->dirs)) {
            return 'dirs';
        }
        [$mine, $theirs] = [$this->env, $other->env];
        ksort($mine, SORT_STRING);
        ksort($theirs, SORT_STRING);
        return $mine === $theirs ? null : 'env';
    }

    private static function id(Fields $f): string
    {
        $id = $f->string('id');
        if (preg_match('/^[0-9a-f]{32}$/D', $id) !== 1) {
            throw $f->fail('id', Rule::Format, Text::quote($id) . ' is not 32 lower-case hex digits');
        }
        return $id;
    }

    /** @return list<string> */
    private static function args(Fields $f): array
    {
        $args = $f->optStrings('args');
        foreach ($args as $i => $arg) {
            if (!Text::isArgument($arg)) {
                throw $f->fail("args[$i]", Rule::Format, Text::quote($arg) . ' is not UTF-8 without NUL');
            }
        }
        return $args;
    }

    /** @return array<array-key, string> */
    private static function env(Fields $f): array
    {
        $env = $f->texts('env');
        foreach ($env as $name => $value) {
            $name = (string) $name;
            if (!self::isVariable($name)) {
                $problem = Text::quote($name) . " is not a variable's name: UTF-8, not empty, without = and NUL";
                throw $f->fail('env', Rule::Format, $problem);
            }
            if (!Text::isArgument($value)) {
                $path = Fields::member("$f->path.env", $name);
                throw DocumentException::field($path, Rule::Format, Text::quote($value) . ' is not UTF-8 without NUL');
            }
        }
        return $env;
    }

    /** @internal */
    public static function isVariable(string $name): bool
    {
        return $name !== '' && !str_contains($name, '=') && Text::isArgument($name);
    }

    /** @return list<Dir> */
    private static function dirs(Fields $f): array
    {
        $dirs = array_map(Dir::fromFields(...), $f->optObjects('dirs'));
        if (count($dirs) > self::MAX_DIRS) {
            throw $f->fail('dirs', Rule::Count, count($dirs) . ' are more than ' . self::MAX_DIRS);
        }
        $seen = [];
        foreach ($dirs as $i => $dir) {
            if (isset($seen[$dir->guest])) {
                throw $f->fail("dirs[$i].guest", Rule::Repeated, Text::quote($dir->guest) . ' is there twice');
            }
            $seen[$dir->guest] = true;
            foreach (array_slice($dirs, 0, $i) as $other) {
                if ($dir->clashes($other)) {
                    $kind = $other->tree === null ? 'is live' : 'travels';
                    $problem = "goes with no folder in or around it that $kind: " . Text::quote($other->guest);
                    throw $f->fail("dirs[$i].guest", Rule::Conflict, $problem);
                }
            }
        }
        return $dirs;
    }

    private static function tooLarge(string $path, int $size): DocumentException
    {
        $problem = "$size bytes, more than the " . self::MAX_BYTES . ' allowed';
        return DocumentException::field($path, Rule::TooLarge, $problem);
    }
}
