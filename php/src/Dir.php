<?php

declare(strict_types=1);

namespace Plasm;

/**
 * A folder that a program may use, by its name in the program; which folder of
 * the host stands behind it is not part of the job.
 */
final class Dir
{
    /**
     * @param string $guest    absolute path in the program
     * @param bool   $readOnly whether the program may only read
     */
    public function __construct(public readonly string $guest, public readonly bool $readOnly)
    {
    }

    /**
     * Whether this can be the path of a folder in a program.
     *
     * @internal
     */
    public static function isGuest(string $path): bool
    {
        return preg_match('#^/$|^(/(?!\.{1,2}(/|$))[^/]+)+$#D', $path) === 1 && Json\Text::isArgument($path);
    }

    /** @internal */
    public static function fromFields(Json\Fields $f): self
    {
        $guest = $f->string('guest');
        if (!self::isGuest($guest)) {
            $problem = Json\Text::quote($guest)
                . ' is not an absolute path in UTF-8 without NUL, empty, . or .. parts or a final /';
            throw $f->fail('guest', Json\Rule::Format, $problem);
        }
        return new self($guest, $f->bool('read_only'));
    }
}
