<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * The caller's mistake: a value that can't be, seen before anything was started
 * or said by the command that was started.
 */
class InvalidArgumentException extends \InvalidArgumentException implements PlasmException
{
}
