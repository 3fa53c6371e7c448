<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * A command of plasm is not where it was looked for; the message lists the places.
 */
final class BinaryNotFoundException extends EnvironmentException
{
}
