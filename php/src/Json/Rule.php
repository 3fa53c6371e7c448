<?php

declare(strict_types=1);

namespace Plasm\Json;

/**
 * The rule that a document breaks, by the word that the shared vectors
 * (schemas/vectors/README.md) have for it.
 */
enum Rule: string
{
    // The JSON profile.
    case Bom = 'bom';
    case Utf8 = 'utf8';
    case Syntax = 'syntax';
    case Truncated = 'truncated';
    case Trailing = 'trailing';
    case RepeatedName = 'repeated_name';
    case Null = 'null';
    case Number = 'number';
    case NumberRange = 'number_range';
    case Surrogate = 'surrogate';
    case Depth = 'depth';
    case Control = 'control';
    case Escape = 'escape';

    // Documents.
    case Missing = 'missing';
    case Unknown = 'unknown';
    case Type = 'type';
    case Range = 'range';
    case Format = 'format';
    case Value = 'value';
    case Count = 'count';
    case Repeated = 'repeated';
    case Conflict = 'conflict';
    case Order = 'order';
    case Parent = 'parent';
    case Canonical = 'canonical';
    case Digest = 'digest';
    case Base64 = 'base64';
    case TooLarge = 'too_large';

    /** Whether it is a rule of the JSON profile, and not of one kind of document. */
    public function isOfProfile(): bool
    {
        return match ($this) {
            self::Missing, self::Unknown, self::Type, self::Range, self::Format, self::Value, self::Count,
            self::Repeated, self::Conflict, self::Order, self::Parent, self::Canonical, self::Digest, self::Base64,
            self::TooLarge => false,
            default => true,
        };
    }
}
