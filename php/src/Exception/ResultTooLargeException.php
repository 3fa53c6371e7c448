<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * The command wrote more than this call takes. Raise the transport's
 * maxResultBytes, lower the job's outputLimit, or take the output by callback.
 */
final class ResultTooLargeException extends OutcomeException
{
}
