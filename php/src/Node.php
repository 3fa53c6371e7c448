<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\DocumentException;
use Plasm\Json\Fields;
use Plasm\Json\Rule;
use Plasm\Json\Scanner;
use Plasm\Json\Text;

/**
 * What a node says of itself, as plasm-discover prints it. Nobody has signed it,
 * and it is no reason to trust that node.
 */
final class Node
{
    /** The most bytes of a node document. */
    public const MAX_BYTES = 65536;
    private const MAX_NODE_MEMORY_MB = 8589934591;
    private const MAX_SLOTS = 65536;
    private const MAX_RTT_US = 600000000;
    private const MAX_ADDR = 1024;

    /**
     * @param string       $json            the document as it came
     * @param string       $peerId          who it is
     * @param list<string> $addrs           multiaddresses, each ending in /p2p/ and the peer ID
     * @param string       $version         of plasm
     * @param string       $os              as Go names it, such as linux
     * @param string       $arch            as Go names it, such as amd64
     * @param int          $cpuCores        what jobs can use
     * @param int          $memoryMb        what all jobs share, in units of 2^20 bytes
     * @param list<Engine> $engines         what it can run modules with
     * @param list<string> $guards          of {@see Guards::ALL}: what confines programs there
     * @param int          $slotsTotal      jobs at a time
     * @param int          $slotsFree       of them, at the moment of asking
     * @param ?int         $rttUs           microseconds from asking to the first byte of its answer
     */
    private function __construct(
        public readonly string $json,
        public readonly string $peerId,
        public readonly array $addrs,
        public readonly string $version,
        public readonly string $os,
        public readonly string $arch,
        public readonly int $cpuCores,
        public readonly int $memoryMb,
        public readonly array $engines,
        public readonly array $guards,
        public readonly int $slotsTotal,
        public readonly int $slotsFree,
        // parameters of Node, written by make docs
        /** 1 to 4096 units of 2^20 bytes of linear memory, and at most the node's memory_mb. */
        public readonly int $maxMemoryMb,
        /** 1 to 604800000 milliseconds of wall time. */
        public readonly int $maxTimeoutMs,
        /** 1 to 2^53−1 bytes of the module. */
        public readonly int $maxModuleBytes,
        /** 0 to 2^53−1 bytes of input. */
        public readonly int $maxInputBytes,
        /** 0 to 2^53−1 bytes of stdout and stderr together. */
        public readonly int $maxOutputBytes,
        /** 0 to 2^53−1 bytes of the files in the folders that a job begins with, each name counted. */
        public readonly int $maxTreeBytes,
        /** 0 to 1048576 units of 2^20 bytes of the files in the folders that it writes. */
        public readonly int $maxDiskMb,
        // end of words
        public readonly ?int $rttUs,
    ) {
    }

    /**
     * Reads a node document.
     *
     * @throws DocumentException when it breaks a rule
     */
    public static function fromJson(string $json): self
    {
        if (strlen($json) > self::MAX_BYTES) {
            $problem = strlen($json) . ' bytes, more than the ' . self::MAX_BYTES . ' allowed';
            throw DocumentException::field('node', Rule::TooLarge, $problem);
        }
        $f = new Fields(Scanner::parse($json), 'node');
        $slots = $f->object('slots');
        $limits = $f->object('limits');
        $max = Scanner::MAX_INT;
        $node = new self(
            json: $json,
            peerId: $f->peerId('peer_id'),
            addrs: self::addrs($f),
            version: $f->printable('version'),
            os: $f->name('os', false),
            arch: $f->name('arch', false),
            cpuCores: $f->int('cpu_cores', 1, Manifest::MAX_CPU_CORES),
            memoryMb: $f->int('memory_mb', 1, self::MAX_NODE_MEMORY_MB),
            engines: self::engines($f),
            guards: $f->setOf('guards', Guards::ALL),
            slotsTotal: $slots->int('total', 1, self::MAX_SLOTS),
            slotsFree: $slots->int('free', 0, self::MAX_SLOTS),
            // reading of Node, written by make docs
            maxMemoryMb: $limits->int('memory_mb', 1, 4096),
            maxTimeoutMs: $limits->int('timeout_ms', 1, 604800000),
            maxModuleBytes: $limits->int('module_bytes', 1, $max),
            maxInputBytes: $limits->int('input_bytes', 0, $max),
            maxOutputBytes: $limits->int('output_bytes', 0, $max),
            maxTreeBytes: $limits->int('tree_bytes', 0, $max),
            maxDiskMb: $limits->int('disk_mb', 0, 1048576),
            // end of words
            rttUs: $f->optInt('rtt_us', 1, self::MAX_RTT_US),
        );
        $f->close();
        if ($node->slotsFree > $node->slotsTotal) {
            $problem = "$node->slotsFree is more than slots.total, $node->slotsTotal";
            throw $f->fail('slots.free', Rule::Conflict, $problem);
        }
        if ($node->maxMemoryMb > $node->memoryMb) {
            $problem = "$node->maxMemoryMb is more than memory_mb, $node->memoryMb";
            throw $f->fail('limits.memory_mb', Rule::Conflict, $problem);
        }
        return $node;
    }

    /**
     * The document on one line.
     *
     * @internal
     */
    public function line(): string
    {
        // A line break stands between values only: in a string it would be escaped.
        return strtr($this->json, "\r\n", '  ');
    }

    /** @return list<string> */
    private static function addrs(Fields $f): array
    {
        $addrs = $f->strings('addrs');
        $end = '/p2p/' . $f->string('peer_id');
        foreach ($addrs as $i => $addr) {
            if (
                !str_ends_with($addr, $end) || $addr[0] !== '/' || strlen($addr) < strlen($end) + 2
                || strlen($addr) > self::MAX_ADDR || preg_match('/^[\x21-\x7e]+$/D', $addr) !== 1
            ) {
                $problem = Text::quote($addr) . " is not a multiaddress that ends in $end";
                throw $f->fail("addrs[$i]", Rule::Format, $problem);
            }
        }
        return $addrs;
    }

    /** @return list<Engine> */
    private static function engines(Fields $f): array
    {
        $engines = array_map(Engine::fromFields(...), $f->objects('engines'));
        $f->distinct('engines', array_map(static fn (Engine $e): string => $e->name, $engines), '.name');
        return $engines;
    }
}
