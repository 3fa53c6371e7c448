<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\BinaryVersionException;
use Plasm\Exception\CancelledException;
use Plasm\Exception\CommandException;
use Plasm\Exception\EngineFailedException;
use Plasm\Exception\GuestFailedException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\InvalidModuleException;
use Plasm\Exception\NoNodeException;
use Plasm\Exception\OutOfResourceException;
use Plasm\Exception\PlasmException;
use Plasm\Exception\RefusedException;
use Plasm\Exception\TimeoutException;
use Plasm\Exception\UnverifiedException;
use Plasm\Json\Text;
use Plasm\Process\Binary;
use Plasm\Process\Child;
use Plasm\Transport\Invocation;

/**
 * Which exception what went wrong is.
 *
 * @internal
 */
final class Failure
{
    private function __construct()
    {
    }

    /** Returns a result of exit code 0, and throws on every other. */
    public static function unlessSuccess(Result $result): Result
    {
        if ($result->isSuccess()) {
            return $result;
        }
        $message = 'the program did not succeed: ' . $result->statement->outcome->ending();
        throw match ($result->status) {
            Status::Exit, Status::Trap => new GuestFailedException($message, $result),
            Status::Timeout => new TimeoutException($message, $result),
            Status::OutOfFuel, Status::OutOfMemory, Status::OutputLimit
                => new OutOfResourceException($message, $result),
            Status::Cancelled => new CancelledException($message, $result),
            Status::EngineFailed => new EngineFailedException($message, $result),
        };
    }

    /** The exception for an error document. */
    public static function ofDocument(ErrorDocument $e, Child $child, Invocation $invocation): PlasmException
    {
        return self::of($e, $child->exitCode() ?? -1, $invocation->binary);
    }

    /** The same for what a command said that ran no job. */
    public static function of(ErrorDocument $e, int $exitCode, Binary $binary): PlasmException
    {
        $message = "$binary->command: " . Text::line($e->message) . self::hint($e->hint);
        return match ($e->code) {
            ErrorCode::Usage => self::usage($message, $binary),
            ErrorCode::BadManifest => new InvalidArgumentException($message),
            ErrorCode::BadModule, ErrorCode::ModuleRefused, ErrorCode::CompileLimit
                => new InvalidModuleException($message, $e->code),
            ErrorCode::NoNode => new NoNodeException($message, $e->nodes, $e->hint),
            ErrorCode::Refused, ErrorCode::Disagreement => new RefusedException($message, $e->nodes, $e->hint),
            ErrorCode::Deadline => new TimeoutException($message),
            ErrorCode::Unverified => new UnverifiedException($message, null),
            ErrorCode::Cancelled => new CancelledException($message),
            default => new CommandException($message, $e->code, $e->hint, $exitCode),
        };
    }

    /**
     * The exception for an error that only words and the exit code tell of, as in a
     * streamed job: the lines of the command's own stderr.
     */
    public static function ofWords(string $words, Child $child, Invocation $invocation): PlasmException
    {
        $binary = $invocation->binary;
        $lines = preg_split('/\n/', $words, -1, PREG_SPLIT_NO_EMPTY) ?: [];
        $said = array_map(static fn (string $l): string => (string) preg_replace('/^[\w-]+: /', '', $l), $lines);
        $hint = null;
        if (count($said) > 1 && str_starts_with((string) end($said), 'hint: ')) {
            $hint = substr((string) array_pop($said), strlen('hint: '));
        }
        $message = "$binary->command: " . Text::line((string) end($said)) . self::hint($hint);
        $exitCode = $child->exitCode() ?? -1;
        return match (true) {
            str_contains($message, 'unknown flag') => self::usage($message, $binary),
            $child->signal() !== null || $exitCode > 128 => new CancelledException($message),
            $exitCode === 124 => new TimeoutException($message),
            $exitCode === 126 => new InvalidModuleException($message, null),
            $exitCode === 127 && $binary->command === 'plasm-submit' => new NoNodeException($message, [], $hint),
            default => new CommandException($message, null, $hint, $exitCode),
        };
    }

    private static function usage(string $message, Binary $binary): PlasmException
    {
        if (!str_contains($message, 'unknown flag')) {
            return new InvalidArgumentException($message);
        }
        $version = $binary->version();
        return new BinaryVersionException(
            "$binary->path is of another version, $version, than this SDK works with: $message",
            $binary->path,
            $version,
        );
    }

    private static function hint(?string $hint): string
    {
        return $hint === null || $hint === '' ? '' : ' (' . Text::line($hint) . ')';
    }
}
