<?php

declare(strict_types=1);

namespace Plasm\Process;

/**
 * The commands that run, so that a script that dies takes them with it: a fatal
 * error, exit() in a callback and a full memory all end in the shutdown functions.
 *
 * @internal
 */
final class Living
{
    /** @var array<int, \WeakReference<Child>> */
    private static array $children = [];
    private static bool $registered = false;

    private function __construct()
    {
    }

    public static function add(Child $child): void
    {
        if (!self::$registered) {
            self::$registered = true;
            register_shutdown_function(self::end(...));
        }
        self::$children[spl_object_id($child)] = \WeakReference::create($child);
    }

    public static function remove(Child $child): void
    {
        unset(self::$children[spl_object_id($child)]);
    }

    private static function end(): void
    {
        foreach (self::$children as $reference) {
            $reference->get()?->__destruct();
        }
    }
}
