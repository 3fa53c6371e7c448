<?php

declare(strict_types=1);

namespace Plasm\Process;

/**
 * Passes a stream of the caller's on to a pipe, as it comes, and counts it.
 *
 * @internal
 */
final class Feed
{
    private const CHUNK = 65536;

    private string $pending = '';
    private int $bytes = 0;
    private \HashContext $hash;

    /**
     * @param resource $source
     * @param resource $pipe   is closed at the end of the source
     */
    public function __construct(private mixed $source, private mixed $pipe)
    {
        $this->hash = hash_init('sha256');
        stream_set_blocking($pipe, false);
        stream_set_write_buffer($pipe, 0);
    }

    /** @return list<resource> what to wait for until it can be read */
    public function readable(): array
    {
        return $this->pipe !== null && $this->pending === '' && is_resource($this->source) ? [$this->source] : [];
    }

    /** @return list<resource> what to wait for until it can be written */
    public function writable(): array
    {
        return $this->pipe !== null && $this->pending !== '' ? [$this->pipe] : [];
    }

    /** Reads once; call it when the source is ready. */
    public function read(): void
    {
        // A source that was closed by its owner is at its end.
        $chunk = is_resource($this->source) ? @fread($this->source, self::CHUNK) : false;
        if ($chunk === false || ($chunk === '' && feof($this->source))) {
            $this->close();
            return;
        }
        $this->pending = $chunk;
    }

    /** Writes once; call it when the pipe is ready. */
    public function write(): void
    {
        $n = @fwrite($this->pipe, $this->pending);
        if ($n === false) {
            $this->close(); // nobody reads it any more, which is the command's right
            return;
        }
        hash_update($this->hash, substr($this->pending, 0, $n));
        $this->bytes += $n;
        $this->pending = substr($this->pending, $n);
    }

    public function close(): void
    {
        if ($this->pipe !== null) {
            fclose($this->pipe);
            $this->pipe = null;
        }
    }

    /** What was written so far. */
    public function content(): \Plasm\Content
    {
        return new \Plasm\Content('sha256:' . hash_final(hash_copy($this->hash)), $this->bytes);
    }
}
