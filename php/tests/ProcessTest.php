<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Chunk;
use Plasm\Client;
use Plasm\Exception\BinaryNotExecutableException;
use Plasm\Exception\BinaryNotFoundException;
use Plasm\Exception\BinaryVersionException;
use Plasm\Exception\CancelledException;
use Plasm\Exception\CommandException;
use Plasm\Exception\InvalidModuleException;
use Plasm\Exception\MisuseException;
use Plasm\Exception\ProcessException;
use Plasm\Exception\TimeoutException;
use Plasm\Exception\UnknownVersionException;
use Plasm\Job;
use Plasm\Status;
use Plasm\Stream;
use Plasm\Transport\LocalTransport;
use Plasm\Trust;

/**
 * Commands as processes: pumped, limited, ended, reaped. What a real plasm-run
 * doesn't do, scripts in its place do.
 */
final class ProcessTest extends SdkTestCase
{
    private const SIZE = 1 << 26; // 64 MiB

    public function testOutputComesAsItIsWritten(): void
    {
        $job = Job::fromBytes(Guest::loops('first words'));
        $seen = [];
        $handle = $this->client()->start($job, function (Chunk $chunk) use (&$seen, &$handle): void {
            self::assertFalse($chunk->verified);
            $seen[] = [$chunk->stream, $chunk->bytes];
            $handle->cancel();
        });
        $result = $handle->wait();
        self::assertSame([[Stream::Stdout, 'first words']], $seen);
        self::assertSame(Status::Cancelled, $result->status);
        self::assertTrue($result->verified);
        self::assertTrue($result->streamed);
        self::assertSame('', $result->stdout);
        self::thrown(MisuseException::class, fn () => $result->output());
        self::assertSame($result, $handle->wait());
        self::assertSame([], self::children());
    }

    public function testStderrIsTheProgramsOwn(): void
    {
        $said = '';
        $job = Job::fromBytes(Guest::exits(4, 'to stderr'));
        $result = $this->client()->start($job, function (Chunk $c) use (&$said): void {
            $said .= $c->stream->value . ': ' . $c->bytes;
        })->wait();
        self::assertSame('stderr: to stderr', $said);
        self::assertSame(4, $result->exitCode);
        self::assertContains('nofds', $result->statement->node->guards);
    }

    public function testMuchInBothDirectionsAtOnceInConstantMemory(): void
    {
        $source = popen('head -c ' . self::SIZE . ' /dev/zero', 'r');
        $bytes = 0;
        $most = 0;
        $before = memory_get_usage();
        $job = Job::fromFile(self::example('cat'))->stdin($source)->outputLimit(self::SIZE);
        $result = $this->client()->start($job, function (Chunk $chunk) use (&$bytes, &$most): void {
            $bytes += strlen($chunk->bytes);
            $most = max($most, memory_get_usage());
        })->wait();
        pclose($source);
        self::assertSame(self::SIZE, $bytes);
        self::assertSame(self::SIZE, $result->statement->outcome->stdinBytes);
        self::assertLessThan(4 << 20, $most - $before);
    }

    public function testALargeResultTakesNoMoreThanFourTimesItsSize(): void
    {
        $size = 8 << 20;
        $file = "$this->folder/in";
        file_put_contents($file, str_repeat("\0", $size));
        $script = <<<'PHP'
            require $argv[1]; $client = new Plasm\Client();
            $client->run(Plasm\Job::fromFile($argv[2]));
            $before = memory_get_peak_usage();
            $result = $client->run(Plasm\Job::fromFile($argv[2])->stdinFile($argv[3]));
            echo strlen($result->stdout), ' ', memory_get_peak_usage() - $before;
            PHP;
        $said = self::php($script, realpath(__DIR__ . '/../autoload.php'), self::example('cat'), $file);
        [$length, $peak] = array_map('intval', explode(' ', $said));
        self::assertSame($size, $length);
        self::assertLessThan(4 * $size * 4 / 3, $peak);
    }

    public function testNothingIsLeftAfterAThousandCalls(): void
    {
        $client = $this->client();
        $job = Job::fromFile(self::example('hello'))->stdin('hello');
        $client->run($job);
        $descriptors = self::descriptors();
        $memory = memory_get_usage();
        for ($i = 0; $i < 1000; $i++) {
            self::assertSame('olleh', $client->run($job)->stdout);
        }
        self::assertSame($descriptors, self::descriptors());
        self::assertSame([], self::children());
        self::assertLessThan(1 << 20, memory_get_usage() - $memory);
    }

    public function testWhatACallbackThrowsEndsTheJob(): void
    {
        $closed = fopen('php://memory', 'w');
        fclose($closed);
        $throws = fn () => throw new \DomainException('stop here');
        foreach ([$throws, fn (Chunk $c) => fwrite($closed, $c->bytes)] as $do) {
            $handle = $this->client()->start(Job::fromBytes(Guest::loops('x')), $do);
            try {
                $handle->wait();
                self::fail('nothing was thrown');
            } catch (\DomainException | \TypeError) {
                self::assertSame([], self::children());
            }
            $e = self::thrown(ProcessException::class, fn () => $handle->wait());
            // None, or 128 + SIGTERM where the command was faster than its end.
            self::assertContains($e->exitCode, [null, 143]);
        }
    }

    public function testACallbackCannotWaitForItsOwnJob(): void
    {
        $handle = $this->client()->start(Job::fromBytes(Guest::exits(0, 'x')), function () use (&$handle): void {
            $handle->wait();
        });
        self::thrown(MisuseException::class, fn () => $handle->wait());
    }

    public function testAHandleThatGoesEndsItsJob(): void
    {
        $handle = $this->client()->start(Job::fromBytes(Guest::loops()));
        self::assertFalse($handle->poll());
        self::assertNotSame([], self::children());
        unset($handle);
        self::assertSame([], self::children());
    }

    /** @return iterable<string, array{string}> */
    public static function deaths(): iterable
    {
        yield 'a fatal error' => ['eval("function strlen(");'];
        yield 'exit' => ['exit(3);'];
        yield 'a full memory' => ['ini_set("memory_limit", "8M"); $s = str_repeat("x", 1 << 26);'];
    }

    /** @dataProvider deaths */
    public function testAScriptThatDiesTakesTheJobWithIt(string $death): void
    {
        $script = <<<PHP
            require \$argv[1];
            \$job = Plasm\Job::fromFile(\$argv[2]);
            (new Plasm\Client())->start(\$job, function () {
                foreach (glob('/proc/[0-9]*/stat') as \$f) {
                    \$stat = (string) @file_get_contents(\$f);
                    if (preg_match('/^(\d+) \(.*\) \S (\d+) /s', \$stat, \$m) && (int) \$m[2] === getmypid()) {
                        echo \$m[1], "\n";
                    }
                }
                $death
            })->wait();
            PHP;
        file_put_contents("$this->folder/loops.wasm", Guest::loops('x'));
        $said = self::php($script, realpath(__DIR__ . '/../autoload.php'), "$this->folder/loops.wasm");
        $pid = (int) $said;
        self::assertGreaterThan(1, $pid, $said);
        self::assertDirectoryDoesNotExist("/proc/$pid");
    }

    public function testAForkedProcessLeavesTheJobAlone(): void
    {
        if (!function_exists('pcntl_fork')) {
            self::markTestSkipped('no pcntl');
        }
        $script = <<<'PHP'
            require $argv[1];
            $handle = (new Plasm\Client())->start(Plasm\Job::fromFile($argv[2])->timeoutMs(300));
            $handle->poll();
            if (pcntl_fork() === 0) {
                exit(0);
            }
            pcntl_wait($status);
            echo $handle->wait()->status->value;
            PHP;
        file_put_contents("$this->folder/loops.wasm", Guest::loops());
        $said = self::php($script, realpath(__DIR__ . '/../autoload.php'), "$this->folder/loops.wasm");
        self::assertSame('timeout', $said);
    }

    public function testTheCommandsEnvironment(): void
    {
        putenv('PLASM_TRUST=/nowhere');
        putenv('SECRET=s3cret');
        $this->script('plasm-run', 'env >"$0.env"; exit 1');
        try {
            $client = $this->client(bin: $this->folder, trust: self::nobody(), env: ['MORE' => 'of it']);
            self::thrown(ProcessException::class, fn () => $client->run(Job::fromBytes('')));
        } finally {
            putenv('PLASM_TRUST');
            putenv('SECRET');
        }
        $env = (string) file_get_contents("$this->folder/plasm-run.env");
        self::assertStringContainsString("MORE=of it\n", $env);
        self::assertStringContainsString("PLASM_KEY=", $env);
        self::assertDoesNotMatchRegularExpression('/^(SECRET|PLASM_TRUST|PLASM_BIN)=/m', $env);
    }

    public function testACommandThatDoesNotEndIsKilled(): void
    {
        $this->script('plasm-run', 'trap "" TERM; while :; do sleep 0.05; done');
        $client = $this->client(bin: $this->folder, trust: self::nobody(), deadlineMs: 200);
        self::thrown(TimeoutException::class, fn () => $client->run(Job::fromBytes('')));
        self::assertSame([], self::children());
    }

    public function testACommandThatEndsAndLeavesItsPipesOpen(): void
    {
        $this->script('plasm-run', 'sleep 30 & echo $! >"$0.pid"; exit 9');
        $client = $this->client(bin: $this->folder, trust: self::nobody());
        $started = microtime(true);
        $e = self::thrown(ProcessException::class, fn () => $client->run(Job::fromBytes('')));
        self::assertSame(9, $e->exitCode);
        self::assertLessThan(20, microtime(true) - $started);
        posix_kill((int) file_get_contents("$this->folder/plasm-run.pid"), 9);
    }

    public function testACommandThatIsKilled(): void
    {
        $this->script('plasm-run', 'echo "plasm-run: some word" >&2; kill -9 $$');
        $client = $this->client(bin: $this->folder, trust: self::nobody());
        $e = self::thrown(ProcessException::class, fn () => $client->run(Job::fromBytes('')));
        self::assertSame([null, 9], [$e->exitCode, $e->signal]);
        self::assertStringContainsString('some word', $e->getMessage());
    }

    public function testACommandThatTalksTooMuch(): void
    {
        $this->script('plasm-run', 'yes "plasm-run: chatter" | head -c 3000000 >&2; exit 7');
        $client = $this->client(bin: $this->folder, trust: self::nobody());
        $e = self::thrown(ProcessException::class, fn () => $client->run(Job::fromBytes('')));
        self::assertLessThan(1000, strlen($e->getMessage()));
    }

    public function testErrorsOfAStreamedJob(): void
    {
        $run = fn (Job $job) => fn () => $this->client()->start($job, fn () => null)->wait();
        self::thrown(InvalidModuleException::class, $run(Job::fromBytes('no wasm')));
        $e = self::thrown(CommandException::class, $run(Job::fromFile(self::example('hello'))->engine('none-such')));
        self::assertNull($e->errorCode);
        self::assertSame(125, $e->exitCode);
        foreach ([143 => CancelledException::class, 124 => TimeoutException::class] as $code => $class) {
            $this->script('plasm-run', "echo 'plasm-run: it is over' >&2; exit $code");
            $client = $this->client(bin: $this->folder, trust: self::nobody());
            self::thrown($class, fn () => $client->start(Job::fromBytes(''), fn () => null)->wait());
        }
        $this->script('plasm-run', 'kill -9 $$');
        self::thrown(ProcessException::class, fn () => $client->start(Job::fromBytes(''), fn () => null)->wait());
    }

    public function testWhereTheCommandIsLookedFor(): void
    {
        $hello = Job::fromFile(self::example('hello'))->stdin('ab');
        self::assertSame('ba', $this->client(bin: self::bin('plasm-run'))->run($hello)->stdout);
        self::assertSame('ba', $this->client(bin: self::bin('plasmd'))->run($hello)->stdout);
        $missing = fn () => $this->client(bin: $this->folder)->run($hello);
        $e = self::thrown(BinaryNotFoundException::class, $missing);
        self::assertStringContainsString($this->folder, $e->getMessage());
        touch("$this->folder/plasm-run");
        self::thrown(BinaryNotExecutableException::class, $missing);
        $place = (string) getenv('PLASM_BIN');
        try {
            putenv("PLASM_BIN=$this->folder");
            $e = self::thrown(BinaryNotExecutableException::class, fn () => $this->client()->run($hello));
            self::assertStringStartsWith('PLASM_BIN: ', $e->getMessage());
            putenv('PLASM_BIN'); // then there is the clone's
            self::assertSame('ba', $this->client()->run($hello)->stdout);
        } finally {
            putenv("PLASM_BIN=$place");
        }
        $copy = "$this->folder/elsewhere/php";
        mkdir($copy, 0777, true);
        $sdk = dirname(__DIR__);
        exec(implode(' ', array_map('escapeshellarg', ['cp', '-r', "$sdk/src", "$sdk/autoload.php", $copy])));
        $script = <<<'PHP'
            require $argv[1]; putenv('PLASM_BIN'); putenv("PATH=relative::$argv[2]");
            $job = Plasm\Job::fromFile($argv[3])->stdin('ab');
            echo (new Plasm\Client())->run($job)->stdout, ' ';
            putenv('PATH');
            try {
                (new Plasm\Client())->run($job);
            } catch (Plasm\Exception\BinaryNotFoundException $e) {
                echo $e->getMessage();
            }
            PHP;
        $said = self::php($script, "$copy/autoload.php", dirname(self::bin('plasm-run')), self::example('hello'));
        self::assertStringStartsWith('ba plasm-run is not in PATH', $said);
    }

    public function testACommandOfAnotherVersion(): void
    {
        $version = '[ "$1" = --version ] && echo "plasm-run 9.9.9" && exit;';
        $says = [
            'an unknown flag' => 'echo \'{"error":{"code":"usage","message":"unknown flag: --json"}}\'; exit 125',
            'no document' => 'echo olleh',
            'another document' => 'echo \'{"result":{}}\'',
        ];
        foreach ($says as $what => $body) {
            $this->script('plasm-run', "$version $body");
            $client = $this->client(bin: $this->folder, trust: self::nobody());
            $e = self::thrown(BinaryVersionException::class, fn () => $client->run(Job::fromBytes('')));
            self::assertSame(['9.9.9', "$this->folder/plasm-run"], [$e->version, $e->binary], $what);
            self::assertStringContainsString('9.9.9', $e->getMessage());
        }
        $this->script('plasm-run', 'exit 3');
        $e = self::thrown(CommandException::class, fn () => $this->client(bin: $this->folder)->run(Job::fromBytes('')));
        self::assertSame(3, $e->exitCode);
    }

    /** @return iterable<string, array{string, string, string}> */
    public static function versions(): iterable
    {
        yield 'manifest' => ['"manifest":{"version":"1"', '"manifest":{"version":"2"', '"1"'];
        yield 'receipt' => ['urn:plasm:receipt:v1', 'urn:plasm:receipt:v7', '"urn:plasm:receipt:v1"'];
    }

    /** @dataProvider versions */
    public function testAReceiptOfAnotherVersion(string $from, string $to, string $known): void
    {
        $result = $this->client()->run(Job::fromFile(self::example('hello'))->stdin('hello'));
        $pair = sodium_crypto_sign_keypair();
        $payload = str_replace($from, $to, $result->receipt->payload);
        self::assertNotSame($payload, $result->receipt->payload);
        $signed = 'DSSEv1 28 application/vnd.in-toto+json ' . strlen($payload) . " $payload";
        $document = json_encode(['receipt' => [
            'payload' => base64_encode($payload),
            'payloadType' => 'application/vnd.in-toto+json',
            'signatures' => [[
                'sig' => base64_encode(sodium_crypto_sign_detached($signed, sodium_crypto_sign_secretkey($pair))),
            ]],
        ], 'stdout' => '', 'stderr' => '']);
        file_put_contents("$this->folder/document", $document);
        $this->script('plasm-run', "cat '$this->folder/document'");
        $trust = Trust::peers(\Plasm\PeerId::ofKey(sodium_crypto_sign_publickey($pair)));
        $client = $this->client(bin: $this->folder, trust: $trust);
        $e = self::thrown(UnknownVersionException::class, fn () => $client->run(Job::fromBytes('')));
        self::assertStringContainsString($known, $e->getMessage());
    }

    public function testNoRoomForTemporaryFiles(): void
    {
        $script = <<<'PHP'
            require $argv[1];
            try {
                (new Plasm\Client())->run(Plasm\Job::fromFile($argv[2])->stdin('x'));
            } catch (Plasm\Exception\ProcessException $e) {
                echo $e->getMessage();
            }
            PHP;
        $options = ['-d', 'sys_temp_dir=/nowhere', '-d', 'open_basedir=' . realpath(self::ROOT)];
        $autoload = (string) realpath(__DIR__ . '/../autoload.php');
        $said = self::runPhp([...$options, '-r', $script, $autoload, self::example('hello')]);
        self::assertStringContainsString('no temporary file', $said);
    }

    private static function nobody(): Trust
    {
        return Trust::peers();
    }

    /** @return list<int> the processes whose parent this is */
    private static function children(): array
    {
        $children = [];
        foreach (glob('/proc/[0-9]*/stat') ?: [] as $file) {
            $stat = (string) @file_get_contents($file);
            if (preg_match('/^(\d+) \(.*\) \S (\d+) /s', $stat, $m) === 1 && (int) $m[2] === getmypid()) {
                $children[] = (int) $m[1];
            }
        }
        return $children;
    }

    private static function descriptors(): int
    {
        return count(glob('/proc/self/fd/*') ?: []);
    }

    /** What a PHP process that runs this code prints to either stream. */
    private static function php(string $code, string ...$arguments): string
    {
        return self::runPhp(['-d', 'display_errors=stderr', '-r', $code, ...$arguments]);
    }

    /** @param list<string> $arguments */
    private static function runPhp(array $arguments): string
    {
        $streams = [1 => ['pipe', 'w'], 2 => ['file', '/dev/null', 'w']];
        $process = proc_open([PHP_BINARY, ...$arguments], $streams, $pipes);
        $said = (string) stream_get_contents($pipes[1]);
        proc_close($process);
        return $said;
    }
}
