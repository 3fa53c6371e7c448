<?php

declare(strict_types=1);

namespace Plasm;

/**
 * What a program writes to.
 */
enum Stream: string
{
    case Stdout = 'stdout';
    case Stderr = 'stderr';
}
