<?php

declare(strict_types=1);

namespace Plasm;

/**
 * A piece of output as it came. Nothing about it is verified before the job has
 * ended and its {@see Handle} has returned a {@see Result}: don't act on it, or
 * be able to take that back.
 */
final class Chunk
{
    /** Always false: a piece is verified with the whole, or never. */
    public readonly bool $verified;

    /**
     * @param Stream $stream where the program wrote it
     * @param string $bytes  at most 65536, cut anywhere, also within a character
     */
    public function __construct(public readonly Stream $stream, public readonly string $bytes)
    {
        $this->verified = false;
    }
}
