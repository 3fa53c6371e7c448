<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Content;
use Plasm\Examples\LocalNodes;
use Plasm\Expect;
use Plasm\Trust;
use Plasm\Verifier;

/**
 * The web page of the examples, in a browser, with a real node behind it.
 */
final class WebTest extends SdkTestCase
{
    private const PAGE = self::ROOT . '/examples/web/index.php';

    /** @var resource|null */
    private mixed $server = null;
    /** @var resource|null what the server says; open, as it writes there */
    private mixed $log = null;
    private ?Chromium $browser = null;
    private ?LocalNodes $nodes = null;

    protected function tearDown(): void
    {
        $this->browser?->close();
        if ($this->server !== null) {
            proc_terminate($this->server);
            proc_close($this->server);
        }
        $this->nodes?->end();
        parent::tearDown();
    }

    private function serve(string $peers): string
    {
        $command = [PHP_BINARY, '-S', '127.0.0.1:0', '-d', 'log_errors=1', '-d', 'error_log=', self::PAGE];
        $env = ['WEB_PEERS' => $peers] + getenv();
        $spec = [1 => ['file', '/dev/null', 'w'], 2 => ['pipe', 'w']];
        $this->server = proc_open($command, $spec, $pipes, $this->folder, $env);
        // It says at which port it listens, once it does.
        while (($line = fgets($pipes[2])) !== false) {
            if (preg_match('~(http://127\.0\.0\.1:\d+)~', $line, $m) === 1) {
                $this->log = $pipes[2];
                return $m[1];
            }
        }
        self::fail('php -S did not start');
    }

    public function testAPictureFromANode(): void
    {
        $chromium = trim((string) exec('command -v chromium'));
        self::assertNotSame('', $chromium, 'chromium is not there; scripts/deps installs it');
        $this->nodes = new LocalNodes(dirname(self::bin('plasmd')));
        $this->nodes->start('node');
        $url = $this->serve($this->nodes->address('node'));
        $this->browser = $browser = new Chromium($chromium, $this->folder);

        $browser->open($url);
        self::assertSame("A picture from a stranger's machine", $browser->evaluate('document.title'));
        self::assertNull($browser->evaluate('document.getElementById("picture")'));

        file_put_contents("$this->folder/no-picture.png", 'hello');
        $browser->upload("$this->folder/no-picture.png");
        $problem = $browser->evaluate('document.querySelector(".problem").textContent');
        self::assertStringContainsString('no picture', $problem);

        copy(self::ROOT . '/examples/mandelbrot/mandelbrot.png', "$this->folder/in.png");
        $browser->upload("$this->folder/in.png");
        $verdict = $browser->evaluate('document.getElementById("verdict")?.textContent');
        self::assertSame('The receipt is verified', $verdict);
        self::assertSame([640, 400], $browser->evaluate(
            '(i => [i.naturalWidth, i.naturalHeight])(document.getElementById("picture"))',
        ));
        $node = $browser->evaluate('document.getElementById("node").textContent');
        self::assertSame($this->nodes->peerId('node'), $node);

        // What the browser shows is what the node has signed.
        $source = (string) $browser->evaluate('document.getElementById("picture").src');
        $picture = (string) base64_decode(substr($source, strlen('data:image/png;base64,')), true);
        $receipt = $browser->evaluate('document.getElementById("receipt").textContent');
        $statement = (new Verifier(Trust::peers($node)))->verify($receipt, new Expect(stdout: Content::of($picture)));
        self::assertSame(['640', '400'], $statement->manifest->args);
        self::assertSame(file_get_contents("$this->folder/in.png"), $picture);
    }

    public function testWithoutANodeThePageSaysSoAndNoMore(): void
    {
        $peer = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo';
        $url = $this->serve($peer);
        $body = "--b\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\r\n"
            . file_get_contents(self::ROOT . '/examples/mandelbrot/mandelbrot.png') . "\r\n--b--\r\n";
        $context = stream_context_create(['http' => [
            'method' => 'POST',
            'header' => 'Content-Type: multipart/form-data; boundary=b',
            'content' => $body,
            'ignore_errors' => true,
            'timeout' => 120,
        ]]);
        $page = (string) file_get_contents("$url/", false, $context);
        self::assertStringContainsString('503', $http_response_header[0]);
        self::assertStringContainsString('No node has drawn it', $page);
        self::assertStringNotContainsString('12D3KooW', $page);
    }
}
