<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Client;
use Plasm\Digest;
use Plasm\Examples\LocalNodes;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\UnverifiedException;
use Plasm\Job;
use Plasm\Reason;
use Plasm\Result;
use Plasm\Status;
use Plasm\Transport\RemoteTransport;
use Plasm\Tree;
use Plasm\TreeEntry;

/**
 * Folders that travel, with the real commands, here and on a node.
 */
final class FoldersTest extends SdkTestCase
{
    private static ?LocalNodes $nodes = null;

    public static function tearDownAfterClass(): void
    {
        self::$nodes?->end();
        self::$nodes = null;
    }

    protected function setUp(): void
    {
        parent::setUp();
        mkdir("$this->folder/src/sub", 0700, true);
        file_put_contents("$this->folder/src/a", 'what is in it');
        file_put_contents("$this->folder/src/1", '');
        file_put_contents("$this->folder/src/sub/run", 'x');
        chmod("$this->folder/src/sub/run", 0700);
        file_put_contents("$this->folder/src/sub.txt", 'before sub/ by its bytes');
        symlink('../a', "$this->folder/src/sub/link");
    }

    /** A client of a node that is started once. */
    private static function remote(): Client
    {
        if (self::$nodes === null) {
            $identity = (string) exec(escapeshellarg(self::bin('plasm-submit')) . ' --identity');
            self::$nodes = new LocalNodes(dirname(self::bin('plasmd')), $identity);
            self::$nodes->start('node');
        }
        return new Client(new RemoteTransport(peers: [self::$nodes->address('node')], mdns: false));
    }

    private function copy(string $to): Job
    {
        return Job::fromBytes(Guest::copies('a', 'b'))->in("$this->folder/src", '/in')
            ->out('/out', "$this->folder/$to");
    }

    private function assertCopied(Result $result, string $to): void
    {
        self::assertSame('what is in it', file_get_contents("$this->folder/$to/b"));
        self::assertSame(['b'], array_values(array_diff(scandir("$this->folder/$to") ?: [], ['.', '..'])));
        self::assertSame(['/out'], array_keys($result->folders));
        $folder = $result->folders['/out'];
        self::assertSame(
            ['/out', realpath($this->folder) . "/$to", 1, 13],
            [$folder->guest, $folder->path, $folder->files, $folder->bytes],
        );
        self::assertEquals([new TreeEntry('b', 'file', 13, Digest::of('what is in it'))], $folder->tree->entries);
        self::assertSame($folder->tree->digest(), $result->statement->outcome->dirs[0]->tree);
        [$in, $out] = $result->statement->manifest->dirs;
        self::assertSame(['/in', true, '/out', false], [$in->guest, $in->readOnly, $out->guest, $out->readOnly]);
        self::assertSame(Tree::ofFolder("$this->folder/src")->digest(), $in->tree);
    }

    public function testAFolderGoesInAndAnotherComesOut(): void
    {
        $this->assertCopied($this->client()->mustRun($this->copy('here')), 'here');
        mkdir("$this->folder/empty");
        $handle = $this->client()->start($this->copy('empty')->disk(1), static fn () => null);
        $this->assertCopied($handle->wait(), 'empty');
        $before = (string) getcwd();
        chdir($this->folder);
        $job = $this->copy('x')->out('/out', 'relative');
        chdir($before);
        $this->assertCopied($this->client()->mustRun($job), 'relative');
    }

    public function testAndOnANode(): void
    {
        $this->assertCopied(self::remote()->mustRun($this->copy('there')), 'there');
        $handle = self::remote()->start($this->copy('streamed')->stream(), static fn () => null);
        $this->assertCopied($handle->wait(), 'streamed');
    }

    public function testATreeIsReadAsTheCommandReadsIt(): void
    {
        $entries = array_map(
            static fn (TreeEntry $e): array => [$e->path, $e->type, $e->size, $e->executable, $e->target],
            Tree::ofFolder("$this->folder/src")->entries,
        );
        self::assertSame([
            ['1', 'file', 0, false, null],
            ['a', 'file', 13, false, null],
            ['sub', 'dir', 0, false, null],
            ['sub.txt', 'file', 24, false, null],
            ['sub/link', 'link', 0, false, '../a'],
            ['sub/run', 'file', 1, true, null],
        ], $entries);
        // Of many, one tree in another, single files, and an output that begins as an input: a receipt about
        // another manifest than the one made here would not verify.
        mkdir("$this->folder/src/plain");
        $job = Job::fromBytes(Guest::exits(0))
            ->in("$this->folder/src", '/in/deep/er')->in("$this->folder/src/plain", '/in')
            ->in("$this->folder/src/a", '/in/deep/file')->in("$this->folder/src/a", '/alone/in/1')
            ->in("$this->folder/src", '/work')->out('/work', "$this->folder/work")
            ->in("$this->folder/src/sub.txt", '/work/new/a')->in("$this->folder/src", '/work/mounted')
            ->dir($this->folder, '/live', true);
        $result = $this->client()->mustRun($job);
        self::assertSame(
            ['/alone/in', '/in', '/work', '/work/mounted', '/live'],
            array_column($result->statement->manifest->dirs, 'guest'),
        );
        self::assertFileEquals("$this->folder/src/sub.txt", "$this->folder/work/new/a");
        self::assertSame('../a', readlink("$this->folder/work/sub/link"));
        self::assertTrue(is_executable("$this->folder/work/sub/run"));
        self::assertFileDoesNotExist("$this->folder/work/mounted");
        self::assertSame([5, 62], [$result->folders['/work']->files, $result->folders['/work']->bytes]);
    }

    public function testAFolderThatIsNotTheOneOfTheReceipt(): void
    {
        foreach (['echo other >"$HERE/lied/b"', 'rm -r "$HERE/lied"'] as $lie) {
            $this->script('plasm-run', escapeshellarg(self::bin('plasm-run')) . " \"\$@\"\n$lie");
            $client = $this->client(bin: $this->folder, trust: self::own(), env: ['HERE' => $this->folder]);
            $e = self::thrown(UnverifiedException::class, fn () => $client->run($this->copy('lied')));
            self::assertSame(Reason::Dirs, $e->reason);
            exec('rm -rf ' . escapeshellarg("$this->folder/lied"));
        }
    }

    private static function own(): \Plasm\Trust
    {
        return \Plasm\Trust::peers((string) exec(escapeshellarg(self::bin('plasm-run')) . ' --identity'));
    }

    public function testAJobThatIsCutShortLeavesNoFolder(): void
    {
        $job = Job::fromBytes(Guest::loops())->timeoutMs(50)->out('/out', "$this->folder/late");
        $result = $this->client()->run($job);
        self::assertSame([Status::Timeout, []], [$result->status, $result->folders]);
        self::assertFileDoesNotExist("$this->folder/late");
    }

    public function testWhatCannotTravel(): void
    {
        $long = str_repeat('x', 256);
        $refused = fn (Job $job): string
            => self::thrown(InvalidArgumentException::class, fn () => $this->client()->run($job))->getMessage();
        self::assertStringContainsString('src is there, and not empty', $refused($this->copy('src')));
        self::assertStringContainsString('is there already', $refused(
            $this->copy('x')->in("$this->folder/src/a", '/in/a'),
        ));
        self::assertStringContainsString('is there already', $refused(
            $this->copy('x')->in("$this->folder/src/a", '/in/a/b'),
        ));
        self::assertStringContainsString('a file cannot be /', $refused($this->copy('x')->in(__FILE__, '/')));
        self::assertStringContainsString('travels', $refused($this->copy('x')->dir($this->folder, '/in/live')));
        self::assertStringContainsString('neither file', $refused($this->copy('x')->in('/dev/null', '/in/null')));
        self::assertStringContainsString('255 bytes', $refused($this->copy('x')->in(__FILE__, '/in/' . $long)));
        symlink('/etc/passwd', "$this->folder/src/out");
        self::assertStringContainsString('src/out": a link to "/etc/passwd": absolute', $refused(
            $this->copy('x'),
        ));
        unlink("$this->folder/src/out");
        touch("$this->folder/src/\xff");
        self::assertStringContainsString('UTF-8', $refused($this->copy('x')));
        self::thrown(InvalidArgumentException::class, fn () => Tree::ofFolder("$this->folder/nowhere"));
        self::thrown(InvalidArgumentException::class, fn () => Tree::ofFolder("$this->folder/src/a"));
        self::assertFileDoesNotExist("$this->folder/x");
    }
}
