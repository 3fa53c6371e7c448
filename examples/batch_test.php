<?php

/**
 * Fans 100 jobs out over the nodes of a network, through one process, and takes
 * the answers in their order:
 *
 *     make build
 *     php examples/batch_test.php
 *
 * It starts three nodes on loopback, and ends them.
 */

declare(strict_types=1);

use Plasm\Client;
use Plasm\Examples\LocalNodes;
use Plasm\Job;
use Plasm\Transport\RemoteTransport;
use Plasm\Trust;

require __DIR__ . '/../php/autoload.php';
require __DIR__ . '/support/LocalNodes.php';

$bin = getenv('PLASM_BIN') ?: dirname(__DIR__) . '/bin';
$nodes = new LocalNodes($bin);
foreach (['one', 'two', 'three'] as $name) {
    $nodes->start($name, '--slots=4');
}

// To name the nodes is to trust them: no others are looked for. With a bootstrap
// address and `trust:` in place of `peers:` they would be found.
$transport = new RemoteTransport(peers: array_map($nodes->address(...), ['one', 'two', 'three']), mdns: false);

$count = Job::fromFile(__DIR__ . '/wordcount/wordcount.wasm');
$items = (static function () use ($count): Generator {
    for ($i = 1; $i <= 100; $i++) {
        yield $i => $count->stdin(str_repeat("word\n", $i));
    }
})();

$byNode = [];
$wrong = 0;
foreach ((new Client($transport))->map($count, $items) as $i => $settled) {
    $result = $settled->get(); // throws what went wrong
    if ($result->stdout !== sprintf("%d %d %d\n", $i, $i, 5 * $i)) {
        fwrite(STDERR, "batch_test.php: job $i counted wrongly\n");
        $wrong++;
    }
    $id = $result->statement->node->peerId;
    $byNode[$id] = ($byNode[$id] ?? 0) + 1;
}

foreach ($byNode as $id => $n) {
    echo "$id ran $n jobs\n";
}
if ($wrong > 0 || array_sum($byNode) !== 100) {
    fwrite(STDERR, "batch_test.php: did not hold: 100 jobs, each verified and right\n");
    exit(1);
}
if (count($byNode) < 2) {
    fwrite(STDERR, "batch_test.php: did not hold: the jobs went to more than one node\n");
    exit(1);
}
echo "100 jobs, each with its receipt verified\n";
