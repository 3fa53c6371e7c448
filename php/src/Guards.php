<?php

declare(strict_types=1);

namespace Plasm;

/**
 * What can confine the process in which a program runs, a closed set.
 */
final class Guards
{
    // list of guards in PHP, written by make docs
    /** In their order. */
    public const ALL = [
        'process', 'rlimits', 'nodump', 'pdeathsig', 'nofds', 'nnp', 'landlock', 'seccomp',
    ];
    // end of words

    private function __construct()
    {
    }

    /**
     * @param list<string> $guards
     *
     * @return list<string> the same
     *
     * @throws Exception\InvalidArgumentException when one of them is none
     */
    public static function check(array $guards): array
    {
        foreach ($guards as $guard) {
            if (!in_array($guard, self::ALL, true)) {
                throw new Exception\InvalidArgumentException(
                    Json\Text::quote($guard) . ' is not one of ' . implode(', ', self::ALL),
                );
            }
        }
        return $guards;
    }
}
