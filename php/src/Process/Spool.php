<?php

declare(strict_types=1);

namespace Plasm\Process;

use Plasm\Content;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\ProcessException;

/**
 * Bytes in a nameless temporary file, from where a command reads them by itself:
 * so they can be any number, and both sides know them before the job starts.
 *
 * @internal
 */
final class Spool
{
    private const CHUNK = 1 << 18;

    /** @param resource $file at its beginning */
    private function __construct(public readonly mixed $file, public readonly Content $content)
    {
    }

    /** @throws ProcessException when there is no room */
    public static function ofString(string $bytes): self
    {
        $file = self::create();
        self::write($file, $bytes);
        return self::done($file, Content::of($bytes));
    }

    /**
     * Reads a stream from where it stands to its end, in constant memory.
     *
     * @param resource $stream
     *
     * @throws ProcessException         when there is no room
     * @throws InvalidArgumentException when it can't be read
     */
    public static function ofStream(mixed $stream): self
    {
        $file = self::create();
        $hash = hash_init('sha256');
        $bytes = 0;
        while (!feof($stream)) {
            $chunk = @fread($stream, self::CHUNK);
            if ($chunk === false) {
                throw new InvalidArgumentException('the input stream cannot be read');
            }
            hash_update($hash, $chunk);
            self::write($file, $chunk);
            $bytes += strlen($chunk);
            if ($chunk === '' && !feof($stream)) {
                $ready = [$stream];
                $none = [];
                @stream_select($ready, $none, $none, 1); // it is not blocking, and has nothing yet
            }
        }
        return self::done($file, new Content('sha256:' . hash_final($hash), $bytes));
    }

    /** The digest of the first $bytes bytes. */
    public function prefix(int $bytes): string
    {
        $hash = hash_init('sha256');
        rewind($this->file);
        hash_update_stream($hash, $this->file, $bytes);
        return 'sha256:' . hash_final($hash);
    }

    /** @return resource */
    private static function create(): mixed
    {
        $file = @tmpfile();
        return $file !== false
            ? $file : throw new ProcessException('no temporary file can be made in ' . sys_get_temp_dir());
    }

    /** @param resource $file */
    private static function write(mixed $file, string $bytes): void
    {
        if (@fwrite($file, $bytes) !== strlen($bytes)) {
            throw new ProcessException('a temporary file cannot be written in ' . sys_get_temp_dir());
        }
    }

    /** @param resource $file */
    private static function done(mixed $file, Content $content): self
    {
        if (!fflush($file) || !rewind($file)) {
            throw new ProcessException('a temporary file cannot be written in ' . sys_get_temp_dir());
        }
        return new self($file, $content);
    }
}
