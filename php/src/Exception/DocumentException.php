<?php

declare(strict_types=1);

namespace Plasm\Exception;

use Plasm\Json\Rule;

/**
 * A document breaks a rule: of the JSON profile, or of its kind.
 */
class DocumentException extends \UnexpectedValueException implements PlasmException
{
    /**
     * @param Rule   $rule   which rule
     * @param string $path   the member at fault, such as manifest.dirs[1].guest; "" for a rule of the profile
     * @param int    $offset the byte, from 0, at which a rule of the profile was seen to be broken; else -1
     */
    final public function __construct(
        string $message,
        public readonly Rule $rule,
        public readonly string $path = '',
        public readonly int $offset = -1,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, 0, $previous);
    }

    /** @internal */
    public static function at(int $offset, Rule $rule, string $what): self
    {
        return new self("bad JSON at byte $offset: $what", $rule, '', $offset);
    }

    /** @internal */
    public static function field(string $path, Rule $rule, string $problem): static
    {
        return new static("$path: $problem", $rule, $path);
    }
}
