<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * What came of a job is not what was wanted. Its kinds say what it was.
 */
abstract class OutcomeException extends \RuntimeException implements PlasmException
{
}
