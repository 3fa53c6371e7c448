<?php

/**
 * Runs jobs on nodes of the network: finds a node, submits, checks the signature
 * in PHP, and goes on when a node dies.
 *
 *     make build
 *     php examples/remote_test.php                    # starts the nodes it needs, on loopback
 *     php examples/remote_test.php 12D3KooW… /ip4/…   # that node, found through that address
 */

declare(strict_types=1);

use Plasm\Client;
use Plasm\Discovery;
use Plasm\Examples\LocalNodes;
use Plasm\Exception\NoNodeException;
use Plasm\Expect;
use Plasm\Job;
use Plasm\Status;
use Plasm\Transport\RemoteTransport;
use Plasm\Trust;
use Plasm\Verifier;

require __DIR__ . '/../php/autoload.php';
require __DIR__ . '/support/LocalNodes.php';

/** Ends the example, as one thing that it shows did not hold. */
$must = static function (bool $held, string $what): void {
    if (!$held) {
        fwrite(STDERR, "remote_test.php: did not hold: $what\n");
        exit(1);
    }
};

$nodes = null;
[$trusted, $bootstrap] = [array_slice($argv, 1, 1), array_slice($argv, 2)];
if ($trusted === []) {
    $bin = getenv('PLASM_BIN') ?: dirname(__DIR__) . '/bin';
    $nodes = new LocalNodes($bin);
    $nodes->start('first');
    $nodes->start('second');
    [$trusted, $bootstrap] = [$nodes->peerIds(), [$nodes->address('first')]];
}
$local = $nodes === null; // whether the local network may be asked

// Find.
$found = [];
foreach ((new Discovery($bootstrap, mdns: $local))->nodes(minMemoryMb: 256) as $node) {
    printf("found:    %s, %s, %d of %d slots free\n", $node->peerId, $node->arch, $node->slotsFree, $node->slotsTotal);
    $found[] = $node;
}
$must(array_intersect(array_column($found, 'peerId'), $trusted) !== [], 'a node that is trusted was found');

// Submit. Whom to trust is said here, and by nobody that was found.
$transport = static fn (string ...$trusted): RemoteTransport => new RemoteTransport(
    trust: Trust::peers(...$trusted),
    bootstrap: $bootstrap,
    mdns: $local,
    deadlineMs: 120_000,
);
$hello = Job::fromFile(__DIR__ . '/hello/hello.wasm')->stdin('hello');
$result = (new Client($transport(...$trusted)))->mustRun($hello);
echo "output:   $result->stdout\n";
$must($result->stdout === 'olleh', 'hello, back to front');

// Check. The client did; this is what somebody else does with the receipt alone.
$statement = (new Verifier(Trust::peers(...$trusted)))->verify($result->receipt->json, new Expect(exitCodes: [0]));
echo "verified: {$statement->node->peerId} ran it for $statement->requester\n";

// A node that isn't trusted gets nothing of a job.
try {
    (new Client($transport($statement->requester ?? '')))->run($hello);
    $must(false, 'nothing is sent to a node that is not trusted');
} catch (NoNodeException $e) {
    echo 'refused:  ', count($e->nodes), " node(s) left out, as nobody trusts them\n";
}

if ($nodes === null) {
    exit(0);
}

// Go on when a node dies.
$picture = Job::fromFile(__DIR__ . '/mandelbrot/mandelbrot.wasm')->args('5000', '5000')->outputLimit(1 << 26);
$handle = (new Client($transport(...$trusted)))->start($picture);
$victim = null;
while (!$handle->poll()) {
    foreach ($victim === null ? ['first', 'second'] : [] as $name) {
        // The first job has ended long ago; this log line is of the one that runs.
        if (substr_count($nodes->log($name), 'job.started') > substr_count($nodes->log($name), 'job.finished')) {
            $victim = $nodes->peerId($name);
            $nodes->kill($name);
            echo "killed:   $victim, which was running the job\n";
        }
    }
    usleep(1000);
}
$result = $handle->wait();
echo "retried:  {$result->statement->node->peerId} ran it, ", strlen($result->stdout), " bytes of PNG\n";
$must($victim !== null && $result->statement->node->peerId !== $victim, 'another node ran the job');
$must($result->status === Status::Exit && str_starts_with($result->stdout, "\x89PNG"), 'the picture is there');
