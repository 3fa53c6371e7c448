<?php

declare(strict_types=1);

namespace Plasm\Exception;

/**
 * What every exception of this package is.
 *
 * Its branches: the caller's mistake ({@see InvalidArgumentException},
 * {@see InvalidModuleException}, {@see MisuseException}), the world's
 * ({@see EnvironmentException}, {@see DocumentException}), and what came of a
 * job ({@see OutcomeException}). Messages are one line of bounded length, and
 * never carry a job's input or output.
 */
interface PlasmException extends \Throwable
{
}
