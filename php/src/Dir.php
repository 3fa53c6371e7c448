<?php

declare(strict_types=1);

namespace Plasm;

/**
 * A folder that a program may use, by its name in the program. With a tree it
 * travels with the job, and begins as that. Without, it is a live folder, and
 * which folder of the host stands behind it is not part of the job.
 */
final class Dir
{
    /**
     * @param string  $guest    absolute path in the program
     * @param bool    $readOnly whether the program may only read
     * @param ?string $tree     digest of the {@see Tree} that it begins as; null: a live folder
     */
    public function __construct(
        public readonly string $guest,
        public readonly bool $readOnly,
        public readonly ?string $tree = null,
    ) {
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
        $guest = self::guestFrom($f);
        return new self($guest, $f->bool('read_only'), $f->optDigest('tree'));
    }

    /** Whether a path in a program is below another one. */
    private static function isWithin(string $path, string $outer): bool
    {
        return str_starts_with($path, rtrim($outer, '/') . '/');
    }

    /**
     * Whether one is in the other, and only one of them travels.
     *
     * @internal
     */
    public function clashes(self $other): bool
    {
        return ($this->tree === null) !== ($other->tree === null)
            && (self::isWithin($this->guest, $other->guest) || self::isWithin($other->guest, $this->guest));
    }

    /**
     * A member "guest" that is the path of a folder in a program.
     *
     * @internal
     */
    public static function guestFrom(Json\Fields $f): string
    {
        $guest = $f->string('guest');
        if (!self::isGuest($guest)) {
            $problem = Json\Text::quote($guest)
                . ' is not an absolute path in UTF-8 without NUL, empty, . or .. parts or a final /';
            throw $f->fail('guest', Json\Rule::Format, $problem);
        }
        return $guest;
    }
}
