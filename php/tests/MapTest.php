<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Client;
use Plasm\Examples\LocalNodes;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\NoNodeException;
use Plasm\Exception\ProcessException;
use Plasm\Exception\ResultTooLargeException;
use Plasm\Exception\UnverifiedException;
use Plasm\Job;
use Plasm\Reason;
use Plasm\ResultDocument;
use Plasm\Transport\LocalTransport;
use Plasm\Transport\RemoteTransport;
use Plasm\Trust;
use Plasm\Verifier;

/**
 * Many jobs through one process, and the answer of several nodes.
 */
final class MapTest extends SdkTestCase
{
    private static ?LocalNodes $nodes = null;

    public static function tearDownAfterClass(): void
    {
        self::$nodes?->end();
        self::$nodes = null;
    }

    private static function nodes(): LocalNodes
    {
        if (self::$nodes === null) {
            self::$nodes = new LocalNodes(dirname(self::bin('plasmd')));
            foreach (['one', 'two', 'three'] as $name) {
                self::$nodes->start($name);
            }
        }
        return self::$nodes;
    }

    private static function remote(mixed ...$options): Client
    {
        return new Client(new RemoteTransport(...$options + [
            'trust' => Trust::peers(...self::nodes()->peerIds()),
            'bootstrap' => [self::nodes()->address('one')],
            'mdns' => false,
        ]));
    }

    public function testItemsInTheirOrderUnderTheirKeys(): void
    {
        $job = Job::fromFile(self::example('hello'));
        $binary = "\xff\x00" . str_repeat('x', 100_000);
        $file = tempnam(sys_get_temp_dir(), 'plasm-');
        self::assertIsString($file);
        file_put_contents($file, 'desserts');
        $stream = fopen('data:,abc', 'rb');
        $items = (static function () use ($job, $binary, $file, $stream): \Generator {
            yield 'text' => $job->stdin('a "quoted" \\ text');
            yield 'file' => $job->stdinFile($file);
            yield 'binary' => $job->stdin($binary)->env(['A' => '1'])->seed(7)->timeoutMs(50_000)->memory(64);
            yield 'stream' => $job->stdin($stream)->fuel(1 << 40);
            yield 'nothing' => 'argument';
            yield 'wrong' => Job::fromBytes(Guest::exits(0));
            yield 'folder' => $job->in(__DIR__, '/in');
            yield 'last' => $job->stdin('last');
        })();
        $out = $errors = [];
        foreach ($this->client()->map($job, $items) as $key => $settled) {
            $out[$key] = $settled->result?->stdout;
            $errors[$key] = $settled->error === null ? null : $settled->error::class;
            self::assertTrue($settled->result->verified ?? true);
        }
        unlink($file);
        $given = ['text' => 'a "quoted" \\ text', 'file' => 'desserts', 'binary' => $binary, 'stream' => 'abc'];
        self::assertSame(
            array_map(strrev(...), $given) + ['nothing' => '', 'wrong' => null, 'folder' => null, 'last' => 'tsal'],
            $out,
        );
        self::assertSame(['wrong', 'folder'], array_keys(array_filter($errors)));
    }

    /** A list without end, of which no more is taken than there is room for. */
    public function testItemsAreTakenAsThereIsRoom(): void
    {
        $job = Job::fromBytes(Guest::exits(3));
        $taken = 0;
        $items = (static function () use ($job, &$taken): \Generator {
            while (true) {
                $taken++;
                yield $job->args((string) $taken);
            }
        })();
        $seen = 0;
        foreach ($this->client()->map($job, $items) as $settled) {
            self::assertSame([3, (string) ++$seen], [
                $settled->get()->exitCode, $settled->get()->statement->manifest->args[0],
            ]);
            self::assertLessThan(1100, $taken - $seen);
            if ($seen === 40) {
                break;
            }
        }
        self::assertSame([], iterator_to_array($this->client()->map($job, [])));
    }

    public function testResultsAreUsedAgain(): void
    {
        $client = $this->client(results: $this->folder . '/results');
        $job = Job::fromFile(self::example('hello'));
        $reused = fn (): array => array_map(
            static fn ($s): array => [$s->get()->stdout, $s->get()->reused],
            iterator_to_array($client->map($job, [$job->stdin('ab'), $job->stdin('cd')])),
        );
        self::assertSame([['ba', false], ['dc', false]], $reused());
        self::assertSame([['ba', true], ['dc', true]], $reused());
        $again = $client->run($job->stdin('ab'));
        self::assertSame(['ba', true, true], [$again->stdout, $again->reused, $again->verified]);
    }

    public function testWhatTheCommandSaysIsNotBelieved(): void
    {
        $job = Job::fromFile(self::example('hello'));
        $run = self::bin('plasm-run');
        $first = $this->script('plasm-run', "'$run' \"\$@\" | sed '1!s/.*/{\"index\":2,\"label\":3}/'\n");
        $lying = fn (string $bin): array => iterator_to_array((new Client(new LocalTransport(
            bin: $bin,
            trust: Trust::peers($this->identity()),
        )))->map($job, [$job->stdin('ab'), $job->stdin('cd')]));
        $all = $lying($first);
        self::assertSame('ba', $all[0]->get()->stdout);
        self::assertNotNull($all[1]->error);
        $swap = $this->script('plasm-run', "'$run' \"\$@\" | sed 's/\"index\":1/\"index\":0/;s/\"index\":2/\"index\":1/"
            . ";s/\"index\":0/\"index\":2/' | sort\n");
        foreach ($lying($swap) as $settled) {
            self::assertInstanceOf(UnverifiedException::class, $settled->error);
            self::assertSame(Reason::Manifest, $settled->error->reason);
        }
        self::thrown(ProcessException::class, fn () => $lying($this->script('plasm-run', "exit 3\n")));
        $small = $this->client(maxResultBytes: 100)->map($job, [$job->stdin('ab')]);
        self::assertInstanceOf(ResultTooLargeException::class, iterator_to_array($small)[0]->error);
        self::thrown(InvalidArgumentException::class, fn () => iterator_to_array(
            $this->client()->map($job->stream(), []),
        ));
    }

    private function identity(): string
    {
        return trim((string) shell_exec(self::bin('plasm-run') . ' --identity'));
    }

    public function testNodesThatAgree(): void
    {
        $job = Job::fromFile(self::example('hello'));
        $one = self::remote(quorum: 2)->run($job->stdin('ab'));
        self::assertSame(['ba', 2], [$one->stdout, count($one->receipts)]);
        foreach (self::remote(quorum: 3)->map($job, [$job->stdin('ab'), $job->stdin('cd')]) as $settled) {
            self::assertCount(3, $settled->get()->receipts);
            $signers = array_map(
                static fn ($r): string => $r->claims()->node->peerId,
                $settled->get()->receipts,
            );
            self::assertEqualsCanonicalizing(self::nodes()->peerIds(), $signers);
        }
        $verifier = new Verifier(Trust::peers(...self::nodes()->peerIds()));
        self::assertSame(0, $verifier->verifyQuorum(2, $one->receipts)->outcome->exitCode);
        $few = self::thrown(UnverifiedException::class, fn () => $verifier->verifyQuorum(3, $one->receipts));
        self::assertInstanceOf(UnverifiedException::class, $few);
        self::assertSame(Reason::Quorum, $few->reason);
        $other = self::remote(quorum: 2)->run($job->stdin('ab'));
        self::thrown(UnverifiedException::class, fn () => $verifier->verifyQuorum(
            2,
            [$one->receipts[0], $other->receipts[1]],
        ));
        self::thrown(NoNodeException::class, fn () => self::remote(quorum: 4)->run($job->stdin('ab')));
    }

    public function testOneNodeMore(): void
    {
        $job = Job::fromFile(self::example('hello'));
        $all = iterator_to_array(self::remote(hedge: 'auto')->map($job, ['a', 'b', 'c']));
        self::assertSame([0, 0, 0], array_map(static fn ($s): ?int => $s->get()->exitCode, $all));
        self::assertSame('ba', self::remote(hedge: 1)->run($job->stdin('ab'))->stdout);
        foreach (['soon', 0] as $hedge) {
            self::thrown(InvalidArgumentException::class, fn () => self::remote(hedge: $hedge));
        }
    }

    public function testNoNodeAtAllIsSaidOnce(): void
    {
        $key = sodium_crypto_sign_publickey(sodium_crypto_sign_keypair());
        $client = new Client(new RemoteTransport(
            peers: ['/ip4/127.0.0.1/tcp/1/p2p/' . \Plasm\PeerId::ofKey($key)],
            mdns: false,
        ));
        $job = Job::fromFile(self::example('hello'));
        self::thrown(NoNodeException::class, fn () => iterator_to_array($client->map($job, ['a', 'b'])));
    }
}
