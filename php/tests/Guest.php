<?php

declare(strict_types=1);

namespace Plasm\Tests;

/**
 * Modules made for tests, without a compiler: each has one function, and can write
 * one text and exit, copy a file or wait for one.
 */
final class Guest
{
    /** Calls proc_exit(0), the import of index 0, and so on. */
    private const PROC_EXIT = "\x10\x00";
    private const FD_WRITE = "\x10\x01";
    private const UNREACHABLE = "\x00";
    /** loop br 0 end */
    private const LOOP = "\x03\x40\x0c\x00\x0b";

    private function __construct()
    {
    }

    /** Writes the text to stderr, then exits. */
    public static function exits(int $code, string $stderr = ''): string
    {
        return self::module(self::write(2, $stderr) . self::constant($code) . self::PROC_EXIT, $stderr);
    }

    public static function traps(): string
    {
        return self::module(self::UNREACHABLE);
    }

    /** Writes the text to stdout, and then never ends. */
    public static function loops(string $stdout = ''): string
    {
        return self::module(self::write(1, $stdout) . self::LOOP, $stdout);
    }

    /** Writes the text to stdout again and again. */
    public static function floods(string $stdout): string
    {
        return self::module("\x03\x40" . self::write(1, $stdout) . "\x0c\x00\x0b", $stdout);
    }

    /** Copies up to 1024 bytes of a file in its first folder to one in its second. */
    public static function copies(string $from, string $to): string
    {
        // At 0 is what is read or written: where, and how much; at 8 how much that was, at 12 a descriptor.
        $names = str_pad($from, 32, "\0") . $to;
        $opened = "\x41\x0c\x28\x02\x00";
        $move = static fn (string $call): string
            => $opened . self::constant(0) . self::constant(1) . self::constant(8) . "\x10$call\x1a";
        return self::withFiles(
            self::open(3, 16, $from, 0, "\x02") . "\x1a" . $move("\x01")
            . "\x41\x04\x41\x08\x28\x02\x00\x36\x02\x00" // as much as was read
            . self::open(4, 48, $to, 1, "\xc0\x00") . "\x1a" . $move("\x02"),
            pack('VV', 128, 1024) . str_repeat("\0", 8) . $names,
        );
    }

    /** Ends when there is a file of that name in its folder. */
    public static function waits(string $for): string
    {
        // loop, open it, again if there was an error, end
        $code = "\x03\x40" . self::open(3, 16, $for, 0, "\x02") . "\x0d\x00\x0b";
        return self::withFiles($code, str_repeat("\0", 16) . $for);
    }

    /**
     * Leaves what comes of path_open(folder, no flags, name, its length, oflags, rights, none inherited, no flags,
     * to 12).
     */
    private static function open(int $folder, int $at, string $name, int $how, string $rights): string
    {
        return self::constant($folder) . self::constant(0) . self::constant($at) . self::constant(strlen($name))
            . self::constant($how) . "\x42$rights\x42\x00" . self::constant(0) . self::constant(12) . "\x10\x00";
    }

    /** A module whose imports are path_open, fd_read and fd_write, in this order. */
    private static function withFiles(string $code, string $data): string
    {
        $wasi = self::vector('wasi_snapshot_preview1');
        return "\0asm\1\0\0\0"
            . self::section(1, "\x03\x60\x00\x00\x60\x04\x7f\x7f\x7f\x7f\x01\x7f"
                . "\x60\x09\x7f\x7f\x7f\x7f\x7f\x7e\x7e\x7f\x7f\x01\x7f")
            . self::section(2, "\x03" . $wasi . self::vector('path_open') . "\x00\x02"
                . $wasi . self::vector('fd_read') . "\x00\x01" . $wasi . self::vector('fd_write') . "\x00\x01")
            . self::section(3, "\x01\x00")
            . self::section(5, "\x01\x00\x01")
            . self::section(7, "\x02" . self::vector('memory') . "\x02\x00" . self::vector('_start') . "\x00\x03")
            . self::section(10, "\x01" . self::vector("\x00$code\x0b"))
            . self::section(11, "\x01\x00\x41\x00\x0b" . self::vector($data));
    }

    private static function write(int $fd, string $text): string
    {
        // fd_write(fd, iovec at 0, 1, written at 8), and what it returns is dropped
        return $text === '' ? '' : self::constant($fd) . self::constant(0) . self::constant(1) . self::constant(8)
            . self::FD_WRITE . "\x1a";
    }

    private static function constant(int $n): string
    {
        $out = '';
        for ($more = true; $more;) {
            $byte = $n & 0x7f;
            $n >>= 7;
            $more = !(($n === 0 && ($byte & 0x40) === 0) || ($n === -1 && ($byte & 0x40) !== 0));
            $out .= chr($more ? $byte | 0x80 : $byte);
        }
        return "\x41" . $out;
    }

    private static function module(string $code, string $text = ''): string
    {
        $wasi = self::vector('wasi_snapshot_preview1');
        $body = "\x00" . $code . "\x0b";
        $data = pack('VV', 16, strlen($text)) . str_repeat("\0", 8) . $text;
        return "\0asm\1\0\0\0"
            . self::section(1, "\x03\x60\x00\x00\x60\x01\x7f\x00\x60\x04\x7f\x7f\x7f\x7f\x01\x7f")
            . self::section(2, "\x02" . $wasi . self::vector('proc_exit') . "\x00\x01"
                . $wasi . self::vector('fd_write') . "\x00\x02")
            . self::section(3, "\x01\x00")
            . self::section(5, "\x01\x00\x01")
            . self::section(7, "\x02" . self::vector('memory') . "\x02\x00" . self::vector('_start') . "\x00\x02")
            . self::section(10, "\x01" . self::vector($body))
            . self::section(11, "\x01\x00\x41\x00\x0b" . self::vector($data));
    }

    private static function section(int $id, string $content): string
    {
        return chr($id) . self::vector($content);
    }

    private static function vector(string $bytes): string
    {
        $n = strlen($bytes);
        $size = '';
        do {
            $size .= chr($n > 0x7f ? $n & 0x7f | 0x80 : $n);
            $n >>= 7;
        } while ($n > 0);
        return $size . $bytes;
    }
}
