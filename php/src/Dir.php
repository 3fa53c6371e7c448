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

    /** @internal */
    public static function fromFields(Json\Fields $f): self
    {
        $guest = $f->string('guest');
        if (!str_starts_with($guest, '/') || !Json\Text::isArgument($guest)) {
            $problem = Json\Text::quote($guest) . ' is not an absolute path: UTF-8, without NUL';
            throw $f->fail('guest', Json\Rule::Format, $problem);
        }
        return new self($guest, $f->bool('read_only'));
    }
}
