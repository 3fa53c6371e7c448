<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\DocumentException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Json\Text;

/**
 * Puts a tree together from files and folders of this machine, as they are now,
 * by the rules of `plasm-run --in`.
 *
 * @internal
 */
final class TreeBuilder
{
    /** @var array<string, TreeEntry> by a slash and the path: a bare "1" would become a number */
    private array $entries = [];
    /** @var array<string, true> dirs that only hold what was added */
    private array $implied = [];

    /**
     * Reads a file or folder, through symbolic links, to a path in the tree: "" is the tree itself, for a folder.
     * In a folder, links are links.
     *
     * @throws InvalidArgumentException when it can't be read, changes meanwhile, can't travel, or its place is taken
     */
    public function add(string $host, string $at): void
    {
        for ($slash = strlen($at); ($slash = strrpos(substr($at, 0, $slash), '/')) !== false;) {
            $parent = '/' . substr($at, 0, $slash);
            if (!isset($this->entries[$parent])) {
                $this->entries[$parent] = new TreeEntry(substr($parent, 1), 'dir');
                $this->implied[$parent] = true;
            } elseif ($this->entries[$parent]->type !== 'dir') {
                throw self::twice($host, $parent);
            }
        }
        if (!is_dir($host)) {
            $this->file($host, $at);
            return;
        }
        if ($at !== '') {
            $this->put($host, new TreeEntry($at, 'dir'));
        }
        $this->folder($host, $at);
    }

    /**
     * The tree of what was added.
     *
     * @throws InvalidArgumentException when something of it is nothing that a tree can hold
     */
    public function tree(): Tree
    {
        ksort($this->entries, SORT_STRING);
        try {
            return Tree::of(array_values($this->entries));
        } catch (DocumentException $e) {
            throw new InvalidArgumentException('cannot travel: ' . $e->getMessage(), 0, $e);
        }
    }

    private function folder(string $host, string $at): void
    {
        $names = @scandir($host);
        if ($names === false) {
            throw new InvalidArgumentException('cannot be read: ' . Text::quote($host));
        }
        foreach (array_diff($names, ['.', '..']) as $name) {
            $from = rtrim($host, '/') . "/$name";
            $to = $at === '' ? $name : "$at/$name";
            if (is_link($from)) {
                $this->put($from, new TreeEntry($to, 'link', target: (string) @readlink($from)));
            } elseif (is_dir($from)) {
                $this->put($from, new TreeEntry($to, 'dir'));
                $this->folder($from, $to);
            } else {
                $this->file($from, $to);
            }
        }
    }

    private function file(string $host, string $at): void
    {
        clearstatcache();
        if (!is_file($host)) { // first, because opening a FIFO waits
            $what = file_exists($host) ? 'neither file, folder nor link' : 'gone';
            throw new InvalidArgumentException('cannot travel: ' . Text::quote($host) . ": $what");
        }
        $file = @fopen($host, 'rb');
        if ($file === false) {
            throw new InvalidArgumentException('cannot be read: ' . Text::quote($host));
        }
        $before = fstat($file);
        $hash = hash_init('sha256');
        $size = hash_update_stream($hash, $file);
        $after = fstat($file);
        fclose($file);
        $same = static fn (array $s): array => [$s['size'], $s['mode'], $s['mtime'], $s['ctime']];
        if ($before === false || $after === false || $same($before) !== $same($after) || $size !== $after['size']) {
            throw new InvalidArgumentException('changed while it was read: ' . Text::quote($host));
        }
        $this->put($host, new TreeEntry(
            $at,
            'file',
            size: $size,
            digest: 'sha256:' . hash_final($hash),
            executable: ($after['mode'] & 0100) !== 0,
        ));
    }

    private function put(string $host, TreeEntry $e): void
    {
        $problem = Tree::pathProblem($e->path) ?? (Text::isArgument($e->path) ? null : 'its name is not UTF-8');
        if ($problem === null && $e->target !== null) {
            $problem = Text::isArgument($e->target) ? Tree::targetProblem($e->path, $e->target) : 'not UTF-8';
            $problem = $problem === null ? null : 'a link to ' . Text::quote($e->target) . ": $problem";
        }
        if ($problem !== null) {
            throw new InvalidArgumentException('cannot travel: ' . Text::quote($host) . ": $problem");
        }
        $key = "/$e->path";
        if (isset($this->entries[$key]) && (!isset($this->implied[$key]) || $e->type !== 'dir')) {
            throw self::twice($host, $key);
        }
        if (count($this->entries) >= Tree::MAX_ENTRIES && !isset($this->entries[$key])) {
            $problem = 'more than ' . Tree::MAX_ENTRIES . ' names';
            throw new InvalidArgumentException('cannot travel: ' . Text::quote($host) . ": $problem");
        }
        unset($this->implied[$key]);
        $this->entries[$key] = $e;
    }

    private static function twice(string $host, string $key): InvalidArgumentException
    {
        return new InvalidArgumentException(
            Text::quote($host) . ': ' . Text::quote(substr($key, 1)) . ' is there already, from another file or folder',
        );
    }
}
