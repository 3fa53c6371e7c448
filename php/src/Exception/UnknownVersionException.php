<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * A document of a version that this SDK doesn't know; the message names the
 * versions of both sides. Update the older of the two.
 */
final class UnknownVersionException extends DocumentException
{
}
