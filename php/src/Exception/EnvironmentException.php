<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * Something about this machine or its network is not as it must be: a command
 * that isn't there, a key that can't be read, no node.
 */
abstract class EnvironmentException extends \RuntimeException implements PlasmException
{
}
