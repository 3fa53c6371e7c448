<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\BinaryVersionException;
use Plasm\Exception\DocumentException;
use Plasm\Exception\EnvironmentException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\NoNodeException;
use Plasm\Exception\ProcessException;
use Plasm\Exception\TimeoutException;
use Plasm\Json\Text;
use Plasm\Process\Binary;
use Plasm\Process\Child;
use Plasm\Process\Environment;
use Plasm\Transport\Limits;

/**
 * Finds nodes that can run a job, through plasm-discover.
 */
final class Discovery
{
    /** How much later than plasm-discover itself this side gives up, in milliseconds. */
    private const SLACK_MS = 5_000;
    /** The most nodes that can be waiting to be taken, in bytes of their documents. */
    private const MAX_BUFFER = 16_777_216;

    /**
     * @param list<string>             $bootstrap  multiaddresses where to begin to look, ending in /p2p/ and a peer ID
     * @param bool                     $mdns       whether the local network is asked
     * @param ?string                  $networkKey file with the key of a private network
     * @param ?string                  $bin        the folder that holds plasm-discover, or plasm-discover itself; null:
     *                                             it is looked for, see {@see Binary}
     * @param array<array-key, string> $env        variables for it, beside those that say where this user's files are
     *
     * @throws InvalidArgumentException for a value that can't be
     */
    public function __construct(
        private readonly array $bootstrap = [],
        private readonly bool $mdns = true,
        private readonly ?string $networkKey = null,
        private readonly ?string $bin = null,
        private readonly array $env = [],
    ) {
        Environment::make($env);
    }

    /**
     * Yields nodes as they are found, nearest first within what has arrived. Leaving the loop ends the search.
     *
     * @param ?string      $arch          as Go names it, such as amd64; null: any
     * @param ?string      $os            as Go names it, such as linux; null: any
     * @param ?string      $engine        it has this engine; null: any
     * @param ?int         $minMemoryMb   one job can have this much, 1 to 4096 units of 2^20 bytes
     * @param ?int         $minCores      1 to 1024
     * @param list<string> $requireGuards of {@see Guards::ALL}: what confines programs there
     * @param bool         $free          only nodes with a free slot now
     * @param ?int         $limit         end after this many
     * @param int          $timeoutMs     look for this many milliseconds at most
     *
     * @return \Generator<int, Node>
     *
     * @throws NoNodeException          when there is none, with each that didn't fit and why
     * @throws EnvironmentException     when plasm-discover isn't there, or fails
     * @throws InvalidArgumentException for a value that can't be
     * @throws TimeoutException         when plasm-discover doesn't end
     */
    public function nodes(
        ?string $arch = null,
        ?string $os = null,
        ?string $engine = null,
        ?int $minMemoryMb = null,
        ?int $minCores = null,
        array $requireGuards = [],
        bool $free = false,
        ?int $limit = null,
        int $timeoutMs = 5000,
    ): \Generator {
        Limits::range('minMemoryMb', $minMemoryMb ?? 1, 1, Manifest::MAX_MEMORY_MB);
        Limits::range('minCores', $minCores ?? 1, 1, Manifest::MAX_CPU_CORES);
        Limits::range('limit', $limit ?? 1, 1, PHP_INT_MAX);
        Limits::range('timeoutMs', $timeoutMs, 1, Manifest::MAX_TIMEOUT_MS);
        $flags = Limits::flags([
            '--bootstrap' => $this->bootstrap,
            '--mdns' => $this->mdns ? null : 'false',
            '--network-key' => Limits::path($this->networkKey),
            '--arch' => $arch,
            '--os' => $os,
            '--engine' => $engine,
            '--min-memory' => $minMemoryMb === null ? null : (string) $minMemoryMb,
            '--min-cores' => $minCores === null ? null : (string) $minCores,
            '--require-guards' => implode(',', Guards::check($requireGuards)) ?: null,
            '--free' => $free ? 'true' : null,
            '--limit' => $limit === null ? null : (string) $limit,
            '--timeout' => "{$timeoutMs}ms",
            '--json' => 'true',
        ]);
        // The values are checked now, and not when the first node is asked for.
        return $this->found(Binary::find('plasm-discover', $this->bin), $flags, $timeoutMs + self::SLACK_MS);
    }

    /**
     * @param list<string> $flags
     *
     * @return \Generator<int, Node>
     */
    private function found(Binary $binary, array $flags, int $deadlineMs): \Generator
    {
        $lines = '';
        $words = '';
        $child = new Child([$binary->path, ...$flags], Environment::make($this->env), [], [
            1 => static function (string $bytes) use (&$lines): void {
                $lines .= $bytes;
                if (strlen($lines) > self::MAX_BUFFER) {
                    throw new ProcessException('plasm-discover prints more than this takes');
                }
            },
            2 => static function (string $bytes) use (&$words): void {
                $words = substr($words . $bytes, 0, 65536);
            },
        ]);
        $waited = 0.0;
        $found = 0;
        try {
            while (!$child->hasEnded() || $lines !== '') {
                while (($end = strpos($lines, "\n")) !== false) {
                    $line = substr($lines, 0, $end);
                    $lines = substr($lines, $end + 1);
                    $node = self::node($line, $child, $binary);
                    $found++;
                    yield $node;
                }
                if ($child->hasEnded()) {
                    break;
                }
                $before = microtime(true); // what the caller does with a node is not counted
                Child::pump([$child], 100);
                $waited += microtime(true) - $before;
                if ($waited * 1000 > $deadlineMs) {
                    throw new TimeoutException("plasm-discover took longer than $deadlineMs ms");
                }
            }
        } finally {
            $child->end(1000);
        }
        // Where the exit code can't be known, whole lines must do.
        $unknown = $child->exitCode() === null && $child->signal() === null;
        if ($unknown ? $found === 0 || $lines !== '' : $child->exitCode() !== 0) {
            $how = "plasm-discover {$child->ending()}";
            throw new ProcessException("$how: " . Text::line($words), $child->exitCode(), $child->signal());
        }
    }

    private static function node(string $line, Child $child, Binary $binary): Node
    {
        try {
            if (str_starts_with($line, '{"error":')) {
                $error = ErrorDocument::fromJson($line);
                while (!$child->hasEnded()) {
                    Child::pump([$child], 100);
                }
                throw Failure::of($error, $child->exitCode() ?? -1, $binary);
            }
            return Node::fromJson($line);
        } catch (DocumentException $e) {
            $version = $binary->version();
            throw new BinaryVersionException(
                "plasm-discover $version speaks other documents than this SDK: {$e->getMessage()}",
                $binary->path,
                $version,
                $e,
            );
        }
    }
}
