<?php

/**
 * Runs the hello module on "hello", on this machine, and checks in PHP the signed
 * receipt that comes with the answer:
 *
 *     make build
 *     php examples/local_test.php
 */

declare(strict_types=1);

use Plasm\Client;
use Plasm\Exception\UnverifiedException;
use Plasm\Expect;
use Plasm\Job;
use Plasm\Content;
use Plasm\Transport\LocalTransport;
use Plasm\Trust;
use Plasm\Verifier;

require __DIR__ . '/../php/autoload.php';

/** Ends the example, as one thing that it shows did not hold. */
$must = static function (bool $held, string $what): void {
    if (!$held) {
        fwrite(STDERR, "local_test.php: did not hold: $what\n");
        exit(1);
    }
};

$client = new Client(new LocalTransport());
$result = $client->mustRun(Job::fromFile(__DIR__ . '/hello/hello.wasm')->stdin('hello'));
$node = $result->statement->node;

echo "output:   $result->stdout\n";
echo "exit:     $result->exitCode\n";
echo "run by:   $node->peerId\n";
echo "guards:   ", implode(' ', $node->guards), "\n";
$must($result->stdout === 'olleh', 'hello, back to front');
$must($result->verified, 'the receipt was verified');

// The client has verified the receipt already. Somebody else, who has only the
// receipt and the output, does it like this.
$verifier = new Verifier(Trust::peers($node->peerId));
$verifier->verify($result->receipt->json, new Expect(stdout: Content::of('olleh'), exitCodes: [0]));
echo "receipt:  verified\n";

try {
    $verifier->verify($result->receipt->json, new Expect(stdout: Content::of('hello')));
    $must(false, 'a receipt for another output is refused');
} catch (UnverifiedException $e) {
    echo "forgery:  refused, reason {$e->reason?->value}\n";
}
