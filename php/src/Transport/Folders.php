<?php

declare(strict_types=1);

namespace Plasm\Transport;

use Plasm\Dir;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Json\Text;
use Plasm\TreeBuilder;

/**
 * The folders that travel with a job, put together by the rules of `--in` and
 * `--out`: the manifest has them before a command does.
 *
 * @internal
 */
final class Folders
{
    /** @var array<string, list<array{string, string}>> what is in each folder: host and guest path */
    private array $sources = [];

    /** @param array<string, true> $writable */
    private function __construct(private readonly array $writable)
    {
    }

    /**
     * @param array<string, string> $in      host path by guest path
     * @param list<string>          $outputs guest paths of folders that can be written
     *
     * @return list<Dir> by guest path
     *
     * @throws InvalidArgumentException as {@see TreeBuilder}
     */
    public static function gather(array $in, array $outputs): array
    {
        $folders = new self(array_fill_keys($outputs, true));
        $folders->sort($in);
        $dirs = [];
        foreach ($folders->sources as $guest => $sources) {
            $builder = new TreeBuilder();
            foreach ($sources as [$path, $place]) {
                $builder->add($path, ltrim(substr($place, strlen($guest)), '/'));
            }
            $dirs[] = new Dir($guest, !isset($folders->writable[$guest]), $builder->tree()->digest());
        }
        return $dirs;
    }

    /**
     * @param array<string, string> $in
     * @param array<string, string> $out
     *
     * @return list<string>
     */
    public static function flags(array $in, array $out): array
    {
        return [
            ...array_map(static fn (string $g, string $p): string => "--in=$p::$g", array_keys($in), $in),
            ...array_map(static fn (string $g, string $p): string => "--out=$g::$p", array_keys($out), $out),
        ];
    }

    /**
     * Puts files into folders, and what is read-only into what is around it.
     *
     * @param array<string, string> $in
     */
    private function sort(array $in): void
    {
        $this->sources = array_map(static fn (): array => [], $this->writable);
        $files = [];
        foreach ($in as $guest => $path) {
            if (is_dir($path)) {
                $this->sources[$guest][] = [$path, $guest];
            } elseif ($guest === '/') {
                throw new InvalidArgumentException('a file cannot be /: ' . Text::quote($path));
            } else {
                $files[$guest] = $path;
            }
        }
        foreach ($files as $guest => $path) {
            $this->sources[$this->around($guest) ?? dirname($guest)][] = [$path, $guest];
        }
        ksort($this->sources, SORT_STRING);
        foreach (array_keys($this->sources) as $guest) {
            $outer = $this->around($guest);
            if ($outer !== null && !isset($this->writable[$guest]) && !isset($this->writable[$outer])) {
                array_push($this->sources[$outer], ...$this->sources[$guest]);
                unset($this->sources[$guest]);
            }
        }
    }

    /** The innermost folder that a path in the program is in. */
    private function around(string $guest): ?string
    {
        while ($guest !== '/') {
            $guest = dirname($guest);
            if (isset($this->sources[$guest])) {
                return $guest;
            }
        }
        return null;
    }
}
