<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Discovery;
use Plasm\Exception\CommandException;
use Plasm\Exception\InvalidModuleException;
use Plasm\Exception\NoNodeException;
use Plasm\Exception\ProcessException;
use Plasm\Job;
use Plasm\Process\Binary;
use Plasm\Trust;

/**
 * Processes that can't see how their children end: SIGCHLD is ignored, as job
 * runners have it and their children inherit it, or a handler waits for all.
 *
 * @requires extension pcntl
 */
final class ChildrenTest extends SdkTestCase
{
    protected function tearDown(): void
    {
        pcntl_async_signals(false);
        pcntl_signal(SIGCHLD, SIG_DFL);
        parent::tearDown();
    }

    /** @return array<string, array{int|\Closure}> */
    public static function handlers(): array
    {
        $reap = static function (): void {
            while (pcntl_waitpid(-1, $status, WNOHANG) > 0) {
                continue;
            }
        };
        return ['ignored' => [SIG_IGN], 'a handler that waits for all' => [$reap]];
    }

    /** @dataProvider handlers */
    public function testJobsAndErrors(int|\Closure $handler): void
    {
        pcntl_async_signals(true);
        pcntl_signal(SIGCHLD, $handler);
        $client = $this->client(); // its trust is what plasm-run --identity says
        $hello = Job::fromFile(self::example('hello'))->stdin('hello');
        self::assertSame('olleh', $client->run($hello)->stdout);
        self::assertSame(3, $client->run(Job::fromBytes(Guest::exits(3)))->exitCode);
        $said = '';
        $result = $client->start($hello, function ($chunk) use (&$said): void {
            $said .= $chunk->bytes;
        })->wait();
        self::assertSame(['olleh', true], [$said, $result->verified]);
        self::thrown(InvalidModuleException::class, fn () => $client->run(Job::fromBytes('no wasm')));
        self::assertNotSame('unknown', Binary::find('plasm-run', self::bin('plasm-run'))->version());
        $nothing = new Discovery(bootstrap: [], mdns: false, bin: self::bin('plasm-discover'));
        self::thrown(NoNodeException::class, fn () => iterator_to_array($nothing->nodes(timeoutMs: 100)));
    }

    /** @dataProvider handlers */
    public function testWhatIsNotKnownIsSaid(int|\Closure $handler): void
    {
        pcntl_async_signals(true);
        pcntl_signal(SIGCHLD, $handler);
        $this->script('plasm-run', 'exit 3');
        $this->script('plasm-discover', 'exit 0');
        $client = $this->client(bin: $this->folder, trust: Trust::peers());
        $e = self::thrown(ProcessException::class, fn () => $client->run(Job::fromBytes('')));
        self::assertSame([null, null], [$e->exitCode, $e->signal]);
        self::assertStringContainsString('an exit code that this process cannot see', $e->getMessage());
        $client = $this->client(bin: $this->folder); // there is no line of --identity
        $e = self::thrown(CommandException::class, fn () => $client->run(Job::fromBytes('')));
        self::assertSame(-1, $e->exitCode);
        $discovery = new Discovery(bin: $this->folder);
        $e = self::thrown(ProcessException::class, fn () => iterator_to_array($discovery->nodes()));
        self::assertStringContainsString('cannot see', $e->getMessage());
    }
}
