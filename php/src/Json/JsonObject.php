<?php

declare(strict_types=1);

namespace Plasm\Json;

/**
 * A JSON object: what keeps {} apart from [].
 *
 * @internal
 */
final class JsonObject
{
    /**
     * @param array<array-key, mixed> $members by name; PHP makes integers of names such as "7"
     */
    public function __construct(public readonly array $members)
    {
    }
}
