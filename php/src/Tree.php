<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\DocumentException;
use Plasm\Json\Fields;
use Plasm\Json\Rule;
use Plasm\Json\Scanner;
use Plasm\Json\Text;

/**
 * What is in a folder: names, types and the digests of contents. A folder has one
 * document, whose digest names it.
 */
final class Tree
{
    public const VERSION = '1';
    public const MAX_ENTRIES = 100000;
    /** The most bytes of a document. */
    public const MAX_BYTES = 67108864;
    /** The most bytes of a path, and of a link's target. */
    public const MAX_PATH = 4096;
    /** The most bytes of a part of a path. */
    public const MAX_PART = 255;

    /** @param list<TreeEntry> $entries strictly ascending by the bytes of their paths */
    private function __construct(public readonly array $entries)
    {
    }

    /**
     * Reads the document of a tree.
     *
     * @throws DocumentException                 when it breaks a rule
     * @throws Exception\UnknownVersionException when it is of another version
     */
    public static function fromJson(string $json): self
    {
        if (strlen($json) > self::MAX_BYTES) {
            $problem = strlen($json) . ' bytes, more than the ' . self::MAX_BYTES . ' allowed';
            throw DocumentException::field('tree', Rule::TooLarge, $problem);
        }
        $f = new Fields(Scanner::parse($json), 'tree');
        $f->only('version', 'entries');
        $f->version('version', self::VERSION);
        $tree = new self(self::entries($f));
        $f->close();
        if ($tree->toJson() !== $json) {
            throw DocumentException::field('tree', Rule::Canonical, 'not in its canonical encoding');
        }
        return $tree;
    }

    /**
     * The tree of these.
     *
     * @param list<TreeEntry> $entries
     *
     * @throws DocumentException when together they are none
     *
     * @internal
     */
    public static function of(array $entries): self
    {
        return self::fromJson((new self($entries))->toJson());
    }

    /**
     * The tree of a folder of this machine, as it is now.
     *
     * @throws Exception\InvalidArgumentException when it can't be read, changes meanwhile, or holds what no tree can
     */
    public static function ofFolder(string $path): self
    {
        if (str_contains($path, "\0") || !is_dir($path)) {
            throw new Exception\InvalidArgumentException('no such folder: ' . Text::quote($path));
        }
        $builder = new TreeBuilder();
        $builder->add($path, '');
        return $builder->tree();
    }

    /** The document. */
    public function toJson(): string
    {
        $entry = static function (TreeEntry $e): string {
            $more = match ($e->type) {
                'file' => ",\"size\":$e->size,\"digest\":\"$e->digest\"" . ($e->executable ? ',"executable":true' : ''),
                'link' => ',"target":' . self::quote((string) $e->target),
                default => '',
            };
            return '{"path":' . self::quote($e->path) . ",\"type\":\"$e->type\"$more}";
        };
        return '{"version":"1","entries":[' . implode(',', array_map($entry, $this->entries)) . ']}';
    }

    /** The digest that names the tree. */
    public function digest(): string
    {
        return Digest::of($this->toJson());
    }

    /** @return list<TreeEntry> */
    private static function entries(Fields $f): array
    {
        $entries = $dirs = [];
        $last = null;
        $total = 0;
        foreach ($f->objects('entries') as $i => $object) {
            if ($i === self::MAX_ENTRIES) {
                throw $f->fail('entries', Rule::Count, 'more than the ' . self::MAX_ENTRIES . ' entries allowed');
            }
            $e = self::entry($object);
            self::checkPlace($object, $e->path, $last, $dirs);
            $total += $e->size;
            if ($total > Scanner::MAX_INT) {
                $problem = 'with it the files have more than ' . Scanner::MAX_INT . ' bytes';
                throw $object->fail('size', Rule::Range, $problem);
            }
            if ($e->type === 'dir') {
                $dirs["/$e->path"] = true;
            }
            $entries[] = $e;
            $last = $e->path;
        }
        return $entries;
    }

    private static function entry(Fields $f): TreeEntry
    {
        $path = $f->string('path');
        $type = $f->oneOf('type', 'dir', 'file', 'link');
        $entry = match ($type) {
            'dir' => new TreeEntry($path, $type),
            'file' => new TreeEntry(
                $path,
                $type,
                size: $f->int('size', 0, Scanner::MAX_INT),
                digest: $f->digest('digest'),
                executable: $f->optBool('executable') ?? false,
            ),
            'link' => new TreeEntry($path, $type, target: $f->string('target')),
        };
        $f->close();
        $problem = self::pathProblem($path);
        if ($problem !== null) {
            throw $f->fail('path', Rule::Format, Text::quote($path) . " is not a path in a tree: $problem");
        }
        $problem = $entry->target === null ? null : self::targetProblem($path, $entry->target);
        if ($problem !== null) {
            $target = Text::quote((string) $entry->target);
            throw $f->fail('target', Rule::Format, "$target is not a target in a tree: $problem");
        }
        return $entry;
    }

    /**
     * Refuses a path that can't follow $last.
     *
     * @param array<string, true> $dirs the dirs so far, by a slash and their path
     */
    private static function checkPlace(Fields $f, string $path, ?string $last, array $dirs): void
    {
        $order = $last === null ? 1 : strcmp($path, $last);
        if ($order === 0) {
            throw $f->fail('path', Rule::Repeated, Text::quote($path) . ' is there twice');
        }
        if ($order < 0) {
            $problem = Text::quote($path) . ' comes after ' . Text::quote((string) $last)
                . ': not in the order of bytes';
            throw $f->fail('path', Rule::Order, $problem);
        }
        $slash = strrpos($path, '/');
        if ($slash !== false && !isset($dirs['/' . substr($path, 0, $slash)])) {
            throw $f->fail('path', Rule::Parent, Text::quote($path) . ' has no dir entry for its parent');
        }
    }

    /**
     * Why $path can't be that of an entry, in a few words.
     *
     * @internal
     */
    public static function pathProblem(string $path): ?string
    {
        if (strlen($path) > self::MAX_PATH) {
            return 'longer than ' . self::MAX_PATH . ' bytes';
        }
        foreach (explode('/', $path) as $part) {
            if ($part === '' || $part === '.' || $part === '..') {
                return 'a part that is empty, . or ..';
            }
            if (strlen($part) > self::MAX_PART) {
                return 'a part longer than ' . self::MAX_PART . ' bytes';
            }
        }
        return str_contains($path, "\0") ? 'it has NUL' : null;
    }

    /**
     * Why $target can't be that of a link at $path, in a few words.
     *
     * @internal
     */
    public static function targetProblem(string $path, string $target): ?string
    {
        preg_match('#^(?:\.\.(?:/|$))*#D', $target, $m);
        return match (true) {
            $target === '' => 'empty',
            strlen($target) > self::MAX_PATH => 'longer than ' . self::MAX_PATH . ' bytes',
            $target[0] === '/' => 'absolute',
            preg_match('#(?:^|/)\.\.(?:/|$)#D', substr($target, strlen($m[0]))) === 1 => '.. after its beginning',
            substr_count($m[0], '..') > substr_count($path, '/') => 'it leads out',
            default => str_contains($target, "\0") ? 'it has NUL' : null,
        };
    }

    /** A string as canonical documents have it. */
    private static function quote(string $s): string
    {
        static $escapes = null;
        if ($escapes === null) {
            for ($c = 0; $c < 0x20; $c++) {
                $escapes[chr($c)] = sprintf('\\u%04x', $c);
            }
            $escapes = [
                '"' => '\\"', '\\' => '\\\\', "\x08" => '\\b', "\t" => '\\t', "\n" => '\\n', "\f" => '\\f',
                "\r" => '\\r',
            ] + $escapes;
        }
        return '"' . strtr($s, $escapes) . '"';
    }
}
