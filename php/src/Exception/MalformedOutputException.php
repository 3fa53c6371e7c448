<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * The program's output is not the JSON that was asked for.
 */
final class MalformedOutputException extends OutcomeException
{
}
