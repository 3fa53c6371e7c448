<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Json\Fields;
use Plasm\Json\Rule;
use Plasm\Json\Text;

/**
 * One of a node's engines.
 */
final class Engine
{
    /**
     * @param string       $name     as manifests name it, such as wazero
     * @param string       $version  its version
     * @param list<string> $features what it knows of WebAssembly beyond the first version
     */
    private function __construct(
        public readonly string $name,
        public readonly string $version,
        public readonly array $features,
    ) {
    }

    /** @internal */
    public static function fromFields(Fields $f): self
    {
        $features = $f->strings('features');
        foreach ($features as $i => $feature) {
            if (!Text::isName($feature, true)) {
                $problem = Text::quote($feature) . ' is not 1 to 32 of a-z 0-9 -';
                throw $f->fail("features[$i]", Rule::Format, $problem);
            }
        }
        $f->distinct('features', $features);
        return new self($f->name('name', true), $f->printable('version'), $features);
    }
}
