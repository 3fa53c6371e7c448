<?php

declare(strict_types=1);

namespace Plasm\Process;

use Plasm\Exception\InvalidArgumentException;

/**
 * The variables that a command is started with: those that say where a user's
 * files are, and no others. A program in a job sees none of them.
 *
 * @internal
 */
final class Environment
{
    /**
     * Not in it, on purpose: PLASM_TRUST, as trust is the caller's to say, and what
     * would change the form of messages.
     */
    private const KEPT = [
        'HOME', 'TMPDIR', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_RUNTIME_DIR',
        'CREDENTIALS_DIRECTORY', 'PLASM_KEY', 'PLASM_CACHE_DIR', 'PLASM_ENGINES', 'PLASM_BOOTSTRAP',
        'PLASM_NETWORK_KEY',
    ];

    private function __construct()
    {
    }

    /**
     * @param array<array-key, string> $more variables of the caller's, which win
     *
     * @return array<string, string>
     *
     * @throws InvalidArgumentException for a name or value that no variable can have
     */
    public static function make(array $more = []): array
    {
        $env = [];
        foreach (self::KEPT as $name) {
            $value = getenv($name);
            if ($value !== false) {
                $env[$name] = $value;
            }
        }
        foreach ($more as $name => $value) {
            $name = (string) $name;
            if ($name === '' || strpbrk($name, "=\0") !== false || str_contains($value, "\0")) {
                throw new InvalidArgumentException('env: not a variable: ' . \Plasm\Json\Text::quote($name));
            }
            $env[$name] = $value;
        }
        return $env;
    }
}
