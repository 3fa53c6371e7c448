<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * A method was called when it can't be, such as the output of a result that was
 * streamed.
 */
final class MisuseException extends \LogicException implements PlasmException
{
}
