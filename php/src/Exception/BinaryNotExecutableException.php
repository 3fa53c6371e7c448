<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * What stands where a command of plasm should be can't be executed.
 */
final class BinaryNotExecutableException extends EnvironmentException
{
}
