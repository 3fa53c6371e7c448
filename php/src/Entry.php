<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Process\Spool;

/**
 * The input of an item of a batch, as its line names it.
 *
 * @internal
 */
final class Entry
{
    private function __construct(
        public readonly Content $content,
        private readonly ?string $text,
        private readonly ?string $file,
        private readonly bool $own,
    ) {
    }

    /** The input of a job, of which at most $inline bytes go into the line. */
    public static function of(Job $job, int $inline): self
    {
        $source = $job->source();
        if ($source->stdinFile !== null) {
            $bytes = (int) filesize($source->stdinFile);
            return new self(new Content(Digest::ofFile($source->stdinFile), $bytes), null, $source->stdinFile, false);
        }
        if ($source->stdin === null || $source->stdin === '') {
            return new self(new Content(Digest::EMPTY, 0), null, null, false);
        }
        $text = $source->stdin;
        if (is_string($text) && strlen($text) <= $inline && preg_match('//u', $text) === 1) {
            return new self(Content::of($text), $text, null, false);
        }
        $spool = is_string($text) ? Spool::ofString($text) : Spool::ofStream($text);
        $file = tempnam(sys_get_temp_dir(), 'plasm-');
        $to = $file === false ? false : @fopen($file, 'wb');
        if ($file === false || $to === false || stream_copy_to_stream($spool->file, $to) !== $spool->content->bytes) {
            throw new Exception\ProcessException('a temporary file cannot be written in ' . sys_get_temp_dir());
        }
        fclose($to);
        return new self($spool->content, null, $file, true);
    }

    /** @return array<string, string> the member of the line */
    public function member(): array
    {
        return match (true) {
            $this->text !== null => ['stdin' => $this->text],
            $this->file !== null => ['stdin_file' => $this->file],
            default => [],
        };
    }

    /** The input's bytes, to look at. */
    public function spool(): Spool
    {
        if ($this->text !== null) {
            return Spool::ofString($this->text);
        }
        $file = @fopen((string) $this->file, 'rb');
        return Spool::ofStream($file === false ? throw new Exception\ProcessException('the input is gone') : $file);
    }

    /** Lets go of a file of its own. */
    public function close(): void
    {
        if ($this->own && $this->file !== null) {
            @unlink($this->file);
        }
    }
}
