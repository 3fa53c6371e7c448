<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\DocumentException;
use Plasm\Json\Fields;
use Plasm\Json\Rule;
use Plasm\Json\Scanner;

/**
 * A job document: a manifest with its module and its input, as
 * `plasm-run --print-job` writes it.
 */
final class JobDocument
{
    /**
     * @param Manifest $manifest what is asked
     * @param string   $module   the module's bytes; they have the manifest's digest
     * @param ?string  $stdin    the input; it has the manifest's digest, where there is one; null: none
     * @param array<string, string> $trees documents of {@see Tree}s by their digests, of folders that the job
     *                                     begins with
     * @param array<string, string> $blobs contents of the files in these, by their digests
     */
    private function __construct(
        public readonly Manifest $manifest,
        public readonly string $module,
        public readonly ?string $stdin,
        public readonly array $trees,
        public readonly array $blobs,
    ) {
    }

    /**
     * Reads a job document.
     *
     * @param int $maxBytes more are refused
     *
     * @throws DocumentException when it breaks a rule
     */
    public static function fromJson(string $json, int $maxBytes = 1 << 30): self
    {
        if (strlen($json) > $maxBytes) {
            $problem = strlen($json) . " bytes, more than the $maxBytes allowed";
            throw DocumentException::field('job document', Rule::TooLarge, $problem);
        }
        $f = new Fields(Scanner::parse($json), 'job');
        $f->only('manifest', 'module', 'stdin', 'trees', 'blobs');
        $manifest = $f->value('manifest');
        $module = $f->base64('module');
        $stdin = $f->has('stdin') ? $f->base64('stdin') : null;
        $trees = $f->byDigest('trees', Manifest::MAX_DIRS);
        $blobs = $f->byDigest('blobs', Manifest::MAX_DIRS * Tree::MAX_ENTRIES);
        $f->close();
        $manifest = Manifest::fromValue($manifest, 'job.manifest');
        self::match($f, 'module', $module, 'module_hash', $manifest->moduleHash);
        self::match($f, 'stdin', $stdin ?? '', 'stdin_hash', $manifest->stdinHash);
        return new self($manifest, $module, $stdin, $trees, $blobs);
    }

    private static function match(Fields $f, string $member, string $bytes, string $field, ?string $want): void
    {
        $is = Digest::of($bytes);
        if ($want !== null && $is !== $want) {
            throw $f->fail($member, Rule::Digest, "is $is, but manifest.$field is $want");
        }
    }
}
