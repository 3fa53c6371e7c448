<?php

declare(strict_types=1);

namespace Plasm\Exception;

use Plasm\ErrorCode;

/**
 * The module can't be run: it is no WebAssembly, beyond a limit, or takes too much
 * to compile.
 */
final class InvalidModuleException extends InvalidArgumentException
{
    /**
     * @param ?ErrorCode $errorCode BadModule, ModuleRefused or CompileLimit; null when only the exit code tells
     */
    public function __construct(string $message, public readonly ?ErrorCode $errorCode)
    {
        parent::__construct($message);
    }
}
