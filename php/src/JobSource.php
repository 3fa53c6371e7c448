<?php

declare(strict_types=1);

namespace Plasm;

/**
 * What of a job isn't in its manifest: where its bytes come from.
 *
 * @internal
 */
final class JobSource
{
    /**
     * @param ?string                            $file        the module's path
     * @param string                             $module      the module's bytes where there is no path
     * @param string|resource|null               $stdin       the input
     * @param ?string                            $stdinFile   the input's path
     * @param array<string, array{string, bool}> $dirs        host folder and whether it is read only, by guest path
     * @param array<string, string>              $in          file or folder that travels, by guest path
     * @param array<string, string>              $out         folder that is made, by guest path
     * @param bool                               $stream      whether streams are to be passed on as they come
     * @param int                                $timeoutMs   milliseconds
     * @param int                                $outputLimit bytes
     */
    public function __construct(
        public readonly ?string $file,
        public readonly string $module,
        public readonly mixed $stdin,
        public readonly ?string $stdinFile,
        public readonly array $dirs,
        public readonly array $in,
        public readonly array $out,
        public readonly bool $stream,
        public readonly int $timeoutMs,
        public readonly int $outputLimit,
    ) {
    }
}
