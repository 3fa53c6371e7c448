<?php

declare(strict_types=1);

namespace Plasm\Exception;

use Plasm\Reason;

/**
 * A receipt, or a result with its receipt, did not pass a check. Nothing that
 * came with it may be used.
 */
final class UnverifiedException extends OutcomeException
{
    /**
     * @param ?Reason $reason the check that failed first; null when it was the command that refused what a node sent
     * @param ?string $of     "envelope" or "payload" when the reason is BadJson, else null
     */
    public function __construct(
        string $message,
        public readonly ?Reason $reason,
        public readonly ?string $of = null,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, 0, $previous);
    }

    /** @internal */
    public static function because(Reason $reason, string $detail, ?\Throwable $previous = null): self
    {
        return new self("not verified: $reason->value: $detail", $reason, null, $previous);
    }
}
