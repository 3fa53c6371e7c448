<?php

declare(strict_types=1);

namespace Plasm\Process;

use Plasm\Exception\BinaryNotExecutableException;
use Plasm\Exception\BinaryNotFoundException;
use Plasm\Json\Text;

/**
 * A command of plasm on this machine.
 *
 * It is looked for in the place that the caller names, in PLASM_BIN, in bin/ of
 * the clone that this SDK is part of, and in PATH; the first place that is named,
 * or that has it, counts. A place is a folder, or one of the commands in it.
 */
final class Binary
{
    /**
     * @param string $command such as plasm-run
     * @param string $path    the executable
     */
    private function __construct(public readonly string $command, public readonly string $path)
    {
    }

    /**
     * @param string  $command such as plasm-run
     * @param ?string $place   where the caller says it is
     *
     * @throws BinaryNotFoundException      when it isn't there
     * @throws BinaryNotExecutableException when what is there can't be executed
     */
    public static function find(string $command, ?string $place = null): self
    {
        foreach (['' => $place, 'PLASM_BIN: ' => getenv('PLASM_BIN') ?: null] as $from => $named) {
            if ($named !== null) {
                return new self($command, self::check(self::in($named, $command), $from));
            }
        }
        // Composer links to a path repository, and the link is followed: so this is a clone's.
        $clone = dirname(__DIR__, 3) . '/bin';
        $folders = [$clone, ...explode(PATH_SEPARATOR, (string) getenv('PATH'))];
        foreach ($folders as $folder) {
            // Empty entries of PATH stand for the working directory, which is no place for a command.
            if (str_starts_with($folder, '/') && is_file("$folder/$command")) {
                return new self($command, self::check("$folder/$command", ''));
            }
        }
        throw new BinaryNotFoundException(
            "$command is not in PATH, nor in $clone; say where it is, in the transport's bin or in PLASM_BIN",
        );
    }

    private static function in(string $place, string $command): string
    {
        if (is_dir($place)) {
            return rtrim($place, '/') . "/$command";
        }
        return basename($place) === $command ? $place : dirname($place) . "/$command";
    }

    private static function check(string $path, string $from): string
    {
        if (str_contains($path, "\0") || !is_file($path)) {
            throw new BinaryNotFoundException($from . 'no such command: ' . Text::quote($path));
        }
        if (!is_executable($path)) {
            throw new BinaryNotExecutableException($from . 'not executable: ' . Text::quote($path));
        }
        return (string) realpath($path);
    }

    /**
     * What the command says its version is; "unknown" when it doesn't.
     */
    public function version(): string
    {
        try {
            $said = Child::capture([$this->path, '--version'], Environment::make(), 10_000);
        } catch (\Plasm\Exception\PlasmException) {
            return 'unknown';
        }
        $form = '/^' . preg_quote($this->command, '/') . ' ([\x21-\x7e]{1,64})$/D';
        return preg_match($form, $said->line() ?? '', $m) === 1 ? $m[1] : 'unknown';
    }
}
