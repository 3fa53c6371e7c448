<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Client;
use Plasm\Exception\CommandException;
use Plasm\Exception\GuestFailedException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\InvalidModuleException;
use Plasm\Exception\MalformedOutputException;
use Plasm\Exception\OutOfResourceException;
use Plasm\Exception\ResultTooLargeException;
use Plasm\Exception\TimeoutException;
use Plasm\Exception\UnverifiedException;
use Plasm\Job;
use Plasm\PeerId;
use Plasm\Reason;
use Plasm\Status;
use Plasm\Transport\LocalTransport;
use Plasm\Trust;

/**
 * Jobs on this machine, through the real plasm-run.
 */
final class LocalTest extends SdkTestCase
{
    public function testHello(): void
    {
        $result = $this->client()->run(Job::fromFile(self::example('hello'))->stdin('hello'));
        self::assertSame('olleh', $result->stdout);
        self::assertSame('', $result->stderr);
        self::assertSame(Status::Exit, $result->status);
        self::assertSame(0, $result->exitCode);
        self::assertTrue($result->isSuccess());
        self::assertTrue($result->verified);
        self::assertFalse($result->streamed);
        self::assertSame(5, $result->statement->outcome->stdinBytes);
        self::assertNull($result->statement->requester);
    }

    public function testTheReceiptIsAboutWhatWasAsked(): void
    {
        $job = Job::fromBytes(Guest::exits(0))->args('-v', 'ä b', '7')->env(['LANG' => 'C', '7' => 'x'])->memory(64)
            ->timeoutMs(5000)->fuel(1000)->outputLimit(100)->seed(9)->canonicalNan()->engine('wazero')
            ->stdin('in')->dir($this->folder, '/data', true);
        $m = $this->client(requireGuards: ['rlimits', 'nofds'])->mustRun($job)->statement->manifest;
        self::assertSame(['-v', 'ä b', '7'], $m->args);
        self::assertEquals(['LANG' => 'C', 7 => 'x'], $m->env);
        self::assertSame([64, 5000, 1000, 100, 9], [
            $m->memoryMb, $m->timeoutMs, $m->fuel, $m->outputLimitBytes, $m->seed,
        ]);
        self::assertSame('sha256:' . hash('sha256', 'in'), $m->stdinHash);
        self::assertTrue($m->canonicalNan && $m->deterministic);
        self::assertSame(['wazero', '/data', true], [$m->engine, $m->dirs[0]->guest, $m->dirs[0]->readOnly]);
        self::assertFalse($this->client()->run($job->deterministic(false))->statement->manifest->deterministic);
        $writable = Job::fromBytes(Guest::exits(0))->dir($this->folder, '/data');
        self::assertFalse($this->client()->mustRun($writable)->statement->manifest->dirs[0]->readOnly);
    }

    public function testWhateverTheProgramDidIsAResult(): void
    {
        $client = $this->client();
        $exit = $client->run(Job::fromBytes(Guest::exits(3, 'oh no')));
        self::assertSame([Status::Exit, 3, 'oh no'], [$exit->status, $exit->exitCode, $exit->stderr]);
        self::assertSame(-1 & 0xFFFFFFFF, $client->run(Job::fromBytes(Guest::exits(-1)))->exitCode);
        $trap = $client->run(Job::fromBytes(Guest::traps()));
        self::assertSame([Status::Trap, null], [$trap->status, $trap->exitCode]);
        self::assertSame('unreachable', $trap->statement->outcome->trap);
        self::assertSame([], $trap->trace);
        $names = "\0\x0e\x04name\x01\x07\x01\x02\x04\xffb\x1bd"; // of function 2, _start
        $named = $client->run(Job::fromBytes(Guest::traps() . $names));
        self::assertSame([Status::Trap, ['\xffb\x1bd']], [$named->status, $named->trace]);
        $timeout = $client->run(Job::fromBytes(Guest::loops('so far'))->timeoutMs(50)->stdin('not read'));
        self::assertSame([Status::Timeout, 'so far'], [$timeout->status, $timeout->stdout]);
        self::assertSame(Status::OutOfFuel, $client->run(Job::fromBytes(Guest::loops())->fuel(1000))->status);
        $flood = $client->run(Job::fromBytes(Guest::floods('abc'))->outputLimit(1000));
        self::assertSame([Status::OutputLimit, 1000], [$flood->status, strlen($flood->stdout)]);
        self::assertFalse($flood->isSuccess());
    }

    public function testMustRunThrowsOnEverythingButExitZero(): void
    {
        $client = $this->client();
        $must = fn (string $module, int $ms = 60000, ?int $fuel = null): \Closure
            => fn () => $client->mustRun(Job::fromBytes($module)->timeoutMs($ms)->fuel($fuel)->stdin('s3cret'));
        $e = self::thrown(GuestFailedException::class, $must(Guest::exits(3, 's3cret')));
        self::assertSame(3, $e->result->exitCode);
        self::assertStringContainsString('exit 3', $e->getMessage());
        self::assertStringNotContainsString('s3cret', $e->getMessage());
        $e = self::thrown(GuestFailedException::class, $must(Guest::traps()));
        self::assertSame(Status::Trap, $e->result->status);
        $e = self::thrown(TimeoutException::class, $must(Guest::loops(), 50));
        self::assertSame(Status::Timeout, $e->result?->status);
        $e = self::thrown(OutOfResourceException::class, $must(Guest::loops(), 60000, 1000));
        self::assertSame(Status::OutOfFuel, $e->result->status);
    }

    public function testInputOfEveryKind(): void
    {
        $client = $this->client();
        $cat = Job::fromFile(self::example('cat'));
        $bytes = random_bytes(300000);
        $file = "$this->folder/in";
        file_put_contents($file, $bytes);
        $stream = fopen($file, 'rb');
        fseek($stream, 1000);
        $memory = fopen('php://memory', 'w+b');
        fwrite($memory, 'in memory');
        rewind($memory);
        self::assertSame($bytes, $client->mustRun($cat->stdin($bytes))->stdout);
        self::assertSame($bytes, $client->mustRun($cat->stdinFile($file))->stdout);
        self::assertSame(substr($bytes, 1000), $client->mustRun($cat->stdin($stream))->stdout);
        self::assertSame('in memory', $client->mustRun($cat->stdin($memory))->stdout);
        self::assertSame('', $client->mustRun($cat)->stdout);
        self::assertSame('', $client->mustRun($cat->stdin(''))->stdout);
    }

    public function testAPipeIsPassedOnAsItComes(): void
    {
        [$ours, $theirs] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        fwrite($theirs, 'through a ');
        $handle = $this->client()->start(Job::fromFile(self::example('cat'))->stdin($ours));
        self::assertFalse($handle->poll());
        fwrite($theirs, 'socket');
        stream_socket_shutdown($theirs, STREAM_SHUT_WR); // the command may have a copy of it
        fclose($theirs);
        $result = $handle->wait();
        self::assertSame('through a socket', $result->stdout);
        self::assertNull($result->statement->manifest->stdinHash);
        self::assertTrue($result->statement->outcome->stdinComplete);
    }

    public function testOutputAsJson(): void
    {
        $client = $this->client();
        $cat = Job::fromFile(self::example('cat'));
        self::assertSame(['a' => [1, true]], $client->mustRun($cat->stdin('{"a":[1,true]}'))->output());
        $result = $client->mustRun($cat->stdin('no json'));
        $e = self::thrown(MalformedOutputException::class, fn () => $result->output());
        self::assertInstanceOf(\JsonException::class, $e->getPrevious());
    }

    public function testASignerThatIsNotTrusted(): void
    {
        $other = Trust::peers(PeerId::ofKey(sodium_crypto_sign_publickey(sodium_crypto_sign_keypair())));
        $job = Job::fromFile(self::example('hello'))->stdin('hello');
        $transport = new LocalTransport(trust: $other);
        $e = self::thrown(UnverifiedException::class, fn () => (new Client($transport))->run($job));
        self::assertSame(Reason::Untrusted, $e->reason);
        $result = (new Client($transport, dangerouslySkipVerification: true))->run($job);
        self::assertFalse($result->verified);
        self::assertSame('olleh', $result->stdout);
    }

    public function testErrorsBeforeTheJobStarts(): void
    {
        $client = $this->client();
        $e = self::thrown(InvalidModuleException::class, fn () => $client->run(Job::fromBytes('no wasm')));
        self::assertSame('bad_module', $e->errorCode?->value);
        $engine = fn () => $client->run(Job::fromFile(self::example('hello'))->engine('none-such'));
        $e = self::thrown(CommandException::class, $engine);
        self::assertSame('unsupported', $e->errorCode?->value);
        $key = "$this->folder/open.pem";
        file_put_contents($key, '');
        chmod($key, 0644);
        $open = fn () => $this->client(key: $key)->run(Job::fromFile(self::example('hello')));
        self::assertStringContainsString('chmod 600', self::thrown(CommandException::class, $open)->getMessage());
        $large = Job::fromFile(self::example('hello'))->args(...array_fill(0, 10, str_repeat('x', 30000)));
        self::thrown(InvalidArgumentException::class, fn () => $client->run($large));
    }

    public function testTheDeadlineOfTheCall(): void
    {
        $started = microtime(true);
        $job = Job::fromBytes(Guest::loops());
        $e = self::thrown(TimeoutException::class, fn () => $this->client(deadlineMs: 300)->run($job));
        self::assertNull($e->result);
        self::assertStringContainsString('300 ms', $e->getMessage());
        self::assertLessThan(30, microtime(true) - $started);
    }

    public function testAResultLargerThanIsTaken(): void
    {
        $job = Job::fromFile(self::example('cat'))->stdin(str_repeat('x', 100000));
        $run = fn () => $this->client(maxResultBytes: 50000)->run($job);
        self::assertStringContainsString('50000', self::thrown(ResultTooLargeException::class, $run)->getMessage());
    }

    /** @return iterable<string, array{\Closure(Job): mixed}> */
    public static function wrong(): iterable
    {
        yield 'memory' => [fn (Job $j) => $j->memory(0)];
        yield 'timeout' => [fn (Job $j) => $j->timeoutMs(604800001)];
        yield 'fuel' => [fn (Job $j) => $j->fuel(0)];
        yield 'output limit' => [fn (Job $j) => $j->outputLimit(-1)];
        yield 'seed' => [fn (Job $j) => $j->seed(1 << 53)];
        yield 'argument that is not UTF-8' => [fn (Job $j) => $j->args("\xff")];
        yield 'argument with NUL' => [fn (Job $j) => $j->args("a\0")];
        yield 'variable without a name' => [fn (Job $j) => $j->env(['' => 'x'])];
        yield 'variable with =' => [fn (Job $j) => $j->env(['a=b' => 'x'])];
        yield 'variable that is a number' => [fn (Job $j) => $j->env(['a' => 1])];
        yield 'engine' => [fn (Job $j) => $j->engine('Wazero')];
        yield 'input' => [fn (Job $j) => $j->stdin(7)];
        yield 'input file' => [fn (Job $j) => $j->stdinFile('/nowhere')];
        yield 'folder' => [fn (Job $j) => $j->dir('/nowhere', '/data')];
        yield 'guest path' => [fn (Job $j) => $j->dir('/', 'data')];
        yield 'what goes in' => [fn (Job $j) => $j->in('/nowhere', '/in')];
        yield 'where it goes in' => [fn (Job $j) => $j->in('/', '/in/')];
        yield 'where it goes in, with ::' => [fn (Job $j) => $j->in('/', '/in::/x')];
        yield 'what comes out' => [fn (Job $j) => $j->out('out', '/nowhere')];
        yield 'where it comes out' => [fn (Job $j) => $j->out('/out', '')];
        yield 'disk' => [fn (Job $j) => $j->disk(-1)];
        yield 'module' => [fn (Job $j) => Job::fromFile("/no\0where")];
        yield 'guards' => [fn (Job $j) => new LocalTransport(requireGuards: ['walls'])];
        yield 'deadline' => [fn (Job $j) => new LocalTransport(deadlineMs: 0)];
        yield 'result' => [fn (Job $j) => new LocalTransport(maxResultBytes: 0)];
        yield 'variable of the command' => [fn (Job $j) => new LocalTransport(env: ['a=' => 'x'])];
        yield 'key' => [fn (Job $j) => (new Client(new LocalTransport(key: '')))->run($j)];
    }

    /** @dataProvider wrong */
    public function testWhatCannotBeIsRefusedAtOnce(\Closure $call): void
    {
        self::thrown(InvalidArgumentException::class, fn () => $call(Job::fromBytes('')));
    }

    public function testJobsAreImmutable(): void
    {
        $job = Job::fromFile(self::example('hello'));
        $copy = clone $job;
        $job->args('a')->env(['A' => 'b'])->memory(1)->stdin('x')->dir('/', '/data')->stream();
        $job->in('/', '/in')->out('/out', '/nowhere')->disk(1);
        self::assertEquals($copy, $job);
    }
}
