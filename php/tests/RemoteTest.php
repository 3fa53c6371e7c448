<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Chunk;
use Plasm\Client;
use Plasm\Discovery;
use Plasm\Examples\LocalNodes;
use Plasm\Exception\BinaryVersionException;
use Plasm\Exception\CommandException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\NoNodeException;
use Plasm\Exception\ProcessException;
use Plasm\Exception\RefusedException;
use Plasm\Exception\TimeoutException;
use Plasm\Exception\UnverifiedException;
use Plasm\Job;
use Plasm\Node;
use Plasm\PeerId;
use Plasm\Pool;
use Plasm\Reason;
use Plasm\Status;
use Plasm\Transport\RemoteTransport;
use Plasm\Trust;

/**
 * Jobs on real nodes, on loopback.
 */
final class RemoteTest extends SdkTestCase
{
    private static ?LocalNodes $nodes = null;

    public static function setUpBeforeClass(): void
    {
        parent::setUpBeforeClass();
        self::$nodes = new LocalNodes(dirname(self::bin('plasmd')));
        self::$nodes->start('first', '--slots=2');
        self::$nodes->start('second', '--slots=2');
    }

    public static function tearDownAfterClass(): void
    {
        self::$nodes?->end();
        self::$nodes = null;
    }

    private static function remote(mixed ...$options): Client
    {
        return new Client(new RemoteTransport(...$options + [
            'trust' => Trust::peers(...self::nodes()->peerIds()),
            'bootstrap' => [self::nodes()->address('first')],
            'mdns' => false,
        ]));
    }

    private static function nodes(): LocalNodes
    {
        return self::$nodes ?? throw new \LogicException('no nodes');
    }

    /** @return list<Node> */
    private static function found(mixed ...$options): array
    {
        $discovery = new Discovery([self::nodes()->address('first')], mdns: false);
        return iterator_to_array($discovery->nodes(...$options), false);
    }

    public function testAJobOnANode(): void
    {
        $result = self::remote()->run(Job::fromFile(self::example('hello'))->stdin('hello'));
        self::assertSame('olleh', $result->stdout);
        self::assertTrue($result->verified);
        self::assertContains($result->statement->node->peerId, self::nodes()->peerIds());
        self::assertNotNull($result->statement->requester);
        $failed = self::remote()->run(Job::fromBytes(Guest::exits(5, 'why')));
        self::assertSame([5, 'why'], [$failed->exitCode, $failed->stderr]);
        self::assertSame(Status::Timeout, self::remote()->run(Job::fromBytes(Guest::loops())->timeoutMs(50))->status);
    }

    public function testThePlacement(): void
    {
        $second = self::nodes()->address('second');
        $arch = self::found()[0]->arch;
        $client = self::remote(
            peers: [$second],
            trust: null,
            arch: $arch,
            minCores: 1,
            minMemoryMb: 300,
            requireGuards: ['seccomp'],
            retries: 1,
            attemptTimeoutMs: 60000,
            deadlineMs: 60000,
        );
        $statement = $client->mustRun(Job::fromFile(self::example('hello'))->stdin('x'))->statement;
        self::assertSame(self::nodes()->peerId('second'), $statement->node->peerId);
        self::assertSame($arch, $statement->manifest->arch);
        $elsewhere = fn () => self::remote(arch: 'riscv64')->run(Job::fromBytes(Guest::exits(0)));
        self::assertNotSame([], self::thrown(NoNodeException::class, $elsewhere)->nodes);
    }

    public function testNodesThatWereFoundAreNoReasonToTrustThem(): void
    {
        $found = self::found();
        self::assertCount(2, $found);
        $job = Job::fromFile(self::example('hello'))->stdin('x');
        self::assertSame('x', self::remote(nodes: $found, bootstrap: [])->mustRun($job)->stdout);
        $stranger = PeerId::ofKey(sodium_crypto_sign_publickey(sodium_crypto_sign_keypair()));
        $run = fn () => self::remote(nodes: $found, bootstrap: [], trust: Trust::peers($stranger))->run($job);
        self::thrown(NoNodeException::class, $run);
    }

    public function testTheBinaryIsNotBelieved(): void
    {
        // A plasm-submit that trusts everybody, whatever it was told.
        $submit = self::bin('plasm-submit');
        $this->script('plasm-submit', <<<SH
            for arg; do
                shift
                case \$arg in --signer=*) ;; *) set -- "\$@" "\$arg" ;; esac
            done
            exec $submit --trust=any "\$@"
            SH);
        $stranger = PeerId::ofKey(sodium_crypto_sign_publickey(sodium_crypto_sign_keypair()));
        $client = self::remote(bin: $this->folder, trust: Trust::peers($stranger));
        $run = fn () => $client->run(Job::fromFile(self::example('hello'))->stdin('x'));
        self::assertSame(Reason::Untrusted, self::thrown(UnverifiedException::class, $run)->reason);
    }

    public function testAReplayedResultIsRefused(): void
    {
        $job = Job::fromFile(self::example('hello'))->stdin('x');
        $submit = self::bin('plasm-submit');
        $this->script('plasm-submit', "[ -e \$0.kept ] || $submit \"\$@\" >\$0.kept; cat \$0.kept");
        $client = self::remote(bin: $this->folder);
        self::assertSame('x', $client->run($job)->stdout);
        self::assertSame(
            Reason::Manifest,
            self::thrown(UnverifiedException::class, fn () => $client->run($job))->reason,
        );
    }

    public function testStreaming(): void
    {
        $said = '';
        $take = static function (Chunk $chunk) use (&$said): void {
            self::assertFalse($chunk->verified);
            $said .= $chunk->bytes;
        };
        $cat = Job::fromFile(self::example('cat'));
        self::thrown(InvalidArgumentException::class, fn () => self::remote()->start($cat, $take));
        $source = popen('echo one; sleep 0.2; echo two', 'r');
        $result = self::remote()->start($cat->stdin($source)->stream(), $take)->wait();
        pclose($source);
        self::assertSame("one\ntwo\n", $said);
        self::assertTrue($result->verified && $result->streamed);
        self::assertSame('kept', self::remote()->mustRun($cat->stdin('kept')->stream())->stdout);
        $source = popen('echo three', 'r'); // without stream() it is read to its end first
        $result = self::remote()->mustRun($cat->stdin($source));
        pclose($source);
        self::assertSame("three\n", $result->stdout);
        self::assertNotNull($result->statement->manifest->stdinHash);
        $none = fn () => self::remote(arch: 'riscv64')->start($cat->stream(), $take)->wait();
        self::thrown(NoNodeException::class, $none);
    }

    public function testCancelling(): void
    {
        $handle = self::remote()->start(Job::fromBytes(Guest::loops('x'))->stream(), function () use (&$handle): void {
            $handle->cancel();
        });
        self::assertSame(Status::Cancelled, $handle->wait()->status);
    }

    public function testWhoMayNotSubmit(): void
    {
        $run = fn () => self::remote(key: "$this->folder/other.pem")->run(Job::fromBytes(Guest::exits(0)));
        $e = self::thrown(RefusedException::class, $run);
        self::assertSame('not_allowed', $e->nodes[0]->code);
        self::assertContains($e->nodes[0]->peerId, self::nodes()->peerIds());
        self::assertStringContainsString('plasmd allow', $e->nodes[0]->message . $e->hint);
    }

    public function testTheDeadline(): void
    {
        $run = fn () => self::remote(deadlineMs: 500)->run(Job::fromBytes(Guest::loops())->timeoutMs(60000));
        self::assertNull(self::thrown(TimeoutException::class, $run)->result);
    }

    public function testDiscovery(): void
    {
        $ids = array_map(static fn (Node $n): string => $n->peerId, self::found(
            minMemoryMb: 256,
            minCores: 1,
            requireGuards: ['seccomp'],
            engine: 'wazero',
            os: 'linux',
            timeoutMs: 10000,
        ));
        self::assertEqualsCanonicalizing(self::nodes()->peerIds(), $ids);
        self::assertCount(1, self::found(limit: 1));
        $e = self::thrown(NoNodeException::class, fn () => self::found(arch: 'riscv64'));
        self::assertNotSame([], $e->nodes);
        self::thrown(InvalidArgumentException::class, fn () => self::found(minMemoryMb: 0));
        self::thrown(InvalidArgumentException::class, fn () => iterator_to_array(
            (new Discovery(['nonsense'], mdns: false))->nodes(),
        ));
        foreach (self::found() as $node) {
            self::assertGreaterThan(0, $node->rttUs);
            break;
        }
    }

    public function testDiscoveryYieldsWhatIsThereAndEndsWithItsLoop(): void
    {
        $node = self::found(limit: 1)[0];
        $this->script('plasm-discover', "echo \$\$ >\$0.pid; echo '$node->json'; exec sleep 60");
        foreach ((new Discovery(bin: $this->folder))->nodes() as $found) {
            self::assertEquals($node, $found);
            break;
        }
        unset($found);
        $pid = (int) file_get_contents("$this->folder/plasm-discover.pid");
        self::assertDirectoryDoesNotExist("/proc/$pid");
        $all = fn (string $body) => function () use ($body): array {
            $this->script('plasm-discover', $body);
            return iterator_to_array((new Discovery(bin: $this->folder))->nodes(timeoutMs: 1), false);
        };
        self::thrown(BinaryVersionException::class, $all('echo "{}"'));
        self::thrown(ProcessException::class, $all('echo "plasm-discover: no" >&2; exit 9'));
        self::thrown(ProcessException::class, $all('head -c 20000000 /dev/zero'));
        self::thrown(TimeoutException::class, $all('sleep 60'));
    }

    public function testAPool(): void
    {
        $jobs = static function (): \Generator {
            for ($i = 0; $i < 12; $i++) {
                yield "job $i" => $i === 5
                    ? Job::fromBytes('no wasm')
                    : Job::fromFile(self::example('hello'))->stdin(strrev("n$i"));
            }
        };
        $outputs = [];
        foreach ((new Pool(self::remote(), 4))->run($jobs()) as $key => $settled) {
            if ($key === 'job 5') {
                self::assertNull($settled->result);
                self::thrown(\Plasm\Exception\InvalidModuleException::class, fn () => $settled->get());
                continue;
            }
            $outputs[$key] = $settled->get()->stdout;
        }
        self::assertCount(11, $outputs);
        foreach ($outputs as $key => $output) {
            self::assertSame('n' . substr($key, 4), $output);
        }
    }

    public function testAPoolYieldsAsTheyEndAndNeverRunsMoreThanItMay(): void
    {
        $running = 0;
        $most = 0;
        $folder = $this->folder;
        $jobs = (static function () use (&$running, &$most, $folder): \Generator {
            $modules = ['slow' => Guest::waits('go'), 'a' => Guest::exits(0), 'b' => Guest::exits(1)];
            foreach ($modules as $name => $module) {
                $most = max($most, ++$running);
                yield $name => Job::fromBytes($module)->dir($folder, '/wait');
            }
            $most = max($most, ++$running);
            yield 'wrong' => Job::fromBytes('')->dir('/', '/data');
        })();
        $order = [];
        foreach ((new Pool($this->client(), 2))->run($jobs) as $name => $settled) {
            $running--;
            $order[] = $name;
            if ($name === 'wrong') {
                touch("$folder/go");
            }
        }
        self::assertSame(['a', 'b', 'wrong', 'slow'], $order);
        self::assertLessThanOrEqual(2, $most);
        $pair = [Job::fromBytes(''), Job::fromBytes(Guest::loops())];
        foreach ((new Pool($this->client(), 2))->run($pair) as $key => $_) {
            self::assertSame(0, $key);
            break; // which ends the other
        }
        self::thrown(InvalidArgumentException::class, fn () => new Pool($this->client(), 0));
    }

    /** @return iterable<string, array{\Closure(): mixed}> */
    public static function wrong(): iterable
    {
        $trust = Trust::peers(PeerId::ofKey(str_repeat("\1", 32)));
        yield 'nobody trusted' => [fn () => new RemoteTransport()];
        yield 'a peer without an ID' => [fn () => new RemoteTransport(peers: ['/ip4/127.0.0.1/tcp/1'])];
        yield 'arch' => [fn () => new RemoteTransport(trust: $trust, arch: 'x86_64')];
        yield 'cores' => [fn () => new RemoteTransport(trust: $trust, minCores: 0)];
        yield 'retries' => [fn () => new RemoteTransport(trust: $trust, retries: -1)];
        yield 'folders' => [fn () => (new Client(new RemoteTransport(trust: $trust)))->run(
            Job::fromBytes('')->dir('/', '/data'),
        )];
    }

    /** @dataProvider wrong */
    public function testWhatCannotBeIsRefusedAtOnce(\Closure $call): void
    {
        self::thrown(InvalidArgumentException::class, $call);
    }
}
