<?php

declare(strict_types=1);

namespace Plasm\Transport;

use Plasm\Exception\InvalidArgumentException;

/**
 * What both transports check and write in the same way.
 *
 * @internal
 */
final class Limits
{
    private function __construct()
    {
    }

    public static function check(?int $deadlineMs, int $maxResultBytes): void
    {
        if ($deadlineMs !== null && $deadlineMs < 1) {
            throw new InvalidArgumentException("deadlineMs: $deadlineMs is not at least 1");
        }
        if ($maxResultBytes < 1) {
            throw new InvalidArgumentException("maxResultBytes: $maxResultBytes is not at least 1");
        }
    }

    public static function range(string $name, int $value, int $low, int $high): void
    {
        if ($value < $low || $value > $high) {
            throw new InvalidArgumentException("$name: $value is not in {$low}…$high");
        }
    }

    /**
     * @param array<string, string|list<string>|null> $flags by name; null is left out, a list is one flag for each
     *
     * @return list<string>
     */
    public static function flags(array $flags): array
    {
        $out = [];
        foreach ($flags as $name => $values) {
            foreach ((array) $values as $value) {
                // In one argument, so that no value can be taken for a flag.
                $out[] = "$name=$value";
            }
        }
        return $out;
    }

    /** A path that means the same in another working folder; it need not be there. */
    public static function path(?string $path): ?string
    {
        if ($path === '' || ($path !== null && str_contains($path, "\0"))) {
            throw new InvalidArgumentException('not a file name: ' . \Plasm\Json\Text::quote($path));
        }
        return $path === null || $path[0] === '/' ? $path : getcwd() . "/$path";
    }
}
