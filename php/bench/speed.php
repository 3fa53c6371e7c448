<?php

/**
 * Measures the SDK, for bench/php_test.go, and prints one JSON document: medians of
 * a warm hello by the bare command and by the SDK, in turns, in milliseconds; the
 * median of verifying one receipt, in microseconds; and by how many times the
 * size of a 1 MiB result document the memory of a process peaks that reads it.
 *
 *     PLASM_BIN=bin php php/bench/speed.php ROUNDS
 */

declare(strict_types=1);

use Plasm\Client;
use Plasm\Job;
use Plasm\Transport\LocalTransport;
use Plasm\Trust;
use Plasm\Verifier;

require __DIR__ . '/../autoload.php';

$rounds = max(1, (int) ($argv[1] ?? 100));
$examples = dirname(__DIR__, 2) . '/examples';
$median = static function (array $figures): float {
    sort($figures);
    return $figures[intdiv(count($figures), 2)];
};

/** What a program does that has no SDK: the input in, the output out, the exit code. */
$bare = static function () use ($examples): void {
    $command = [getenv('PLASM_BIN') . '/plasm-run', "$examples/hello/hello.wasm"];
    $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
    fwrite($pipes[0], 'hello');
    fclose($pipes[0]);
    if (stream_get_contents($pipes[1]) !== 'olleh' || stream_get_contents($pipes[2]) !== '') {
        throw new RuntimeException('the bare command failed');
    }
    proc_close($process);
};

$client = new Client(new LocalTransport());
$job = Job::fromFile("$examples/hello/hello.wasm")->stdin('hello');
$result = $client->mustRun($job);
$took = static function (callable $call): float {
    $begun = hrtime(true);
    $call();
    return (hrtime(true) - $begun) / 1e3;
};

[$commands, $sdk, $verifications] = [[], [], []];
$verifier = new Verifier(Trust::peers($result->statement->node->peerId));
for ($i = 0; $i < $rounds; $i++) {
    $commands[] = $took($bare);
    $sdk[] = $took(static fn () => $client->mustRun($job));
    $verifications[] = $took(static fn () => $verifier->verify($result->receipt->json));
}

// A process of its own, as the peak of this one is behind it.
$inner = <<<'PHP'
    require $argv[1];
    $client = new Plasm\Client(new Plasm\Transport\LocalTransport());
    $client->mustRun(Plasm\Job::fromFile($argv[2])->stdinFile($argv[1]));
    $before = memory_get_peak_usage();
    $result = $client->mustRun(Plasm\Job::fromFile($argv[2])->stdinFile($argv[3]));
    $document = strlen($result->receipt->json) + 4 * intdiv(strlen($result->stdout) + 2, 3);
    echo (memory_get_peak_usage() - $before) / $document;
    PHP;
$file = tempnam(sys_get_temp_dir(), 'plasm');
file_put_contents($file, random_bytes(3 << 18));
$arguments = [realpath(__DIR__ . '/../autoload.php'), "$examples/cat/cat.wasm", $file];
$process = proc_open([PHP_BINARY, '-r', $inner, ...$arguments], [1 => ['pipe', 'w']], $pipes);
$memory = (float) stream_get_contents($pipes[1]);
proc_close($process);
unlink($file);

echo json_encode([
    'bare_ms' => $median($commands) / 1e3,
    'sdk_ms' => $median($sdk) / 1e3,
    'verify_us' => $median($verifications),
    'memory_ratio' => $memory,
], JSON_THROW_ON_ERROR), "\n";
