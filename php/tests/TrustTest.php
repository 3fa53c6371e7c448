<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Content;
use Plasm\Digest;
use Plasm\Exception\DocumentException;
use Plasm\Exception\InvalidArgumentException;
use Plasm\Exception\UnverifiedException;
use Plasm\Expect;
use Plasm\Job;
use Plasm\Json\Rule;
use Plasm\Json\Scanner;
use Plasm\Json\Text;
use Plasm\PeerId;
use Plasm\Reason;
use Plasm\ResultDocument;
use Plasm\Trust;
use Plasm\Verifier;

/**
 * Whose word counts, and what it is held against.
 */
final class TrustTest extends SdkTestCase
{
    private const SPKI = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

    /** @return array{string, string} a key and its peer ID */
    private static function key(): array
    {
        $key = sodium_crypto_sign_publickey(sodium_crypto_sign_keypair());
        return [$key, PeerId::ofKey($key)];
    }

    private static function pem(string $der): string
    {
        return "-----BEGIN PUBLIC KEY-----\n" . base64_encode($der) . "\n-----END PUBLIC KEY-----\n";
    }

    public function testPeersPemAndFileAddUp(): void
    {
        [[, $a], [$keyB, $b], [, $c]] = [self::key(), self::key(), self::key()];
        $file = "$this->folder/trusted";
        $named = "$c lab/c /ip4/192.0.2.1/tcp/1 /dns4/c.example/tcp/2/p2p/$c";
        file_put_contents($file, "# nodes of ours\n\n  $c # the third\r\n$named\n");
        $trust = Trust::peers($a)->and(Trust::pem(self::pem(self::SPKI . $keyB)))->and(Trust::file($file));
        self::assertSame([$a, $b, $c], $trust->peerIds());
        self::assertSame([], Trust::peers()->peerIds());
    }

    public function testTheKeyOfOpenssl(): void
    {
        exec('openssl genpkey -algorithm ed25519 | openssl pkey -pubout 2>/dev/null', $lines, $code);
        self::assertSame(0, $code);
        self::assertCount(1, Trust::pem(implode("\n", $lines))->peerIds());
    }

    /** @return iterable<string, array{\Closure(string): mixed}> */
    public static function untrustworthy(): iterable
    {
        [$key, $id] = self::key();
        [, $other] = self::key();
        $write = static function (string $folder, string $text): string {
            file_put_contents("$folder/trusted", $text);
            return "$folder/trusted";
        };
        yield 'the word any' => [fn () => Trust::peers('any')];
        yield 'a file with the word any' => [fn (string $f) => Trust::file($write($f, "$id\nany\n"))];
        yield 'no peer ID' => [fn () => Trust::peers('12D3KooW')];
        yield 'a character that base58 has not' => [fn () => Trust::peers(substr($id, 0, 51) . '0')];
        yield 'a peer ID of another kind of key' => [fn () => Trust::peers('12D3KooW' . str_repeat('z', 44))];
        yield 'a file with something else' => [fn (string $f) => Trust::file($write($f, "$id and more\n"))];
        $address = "/ip4/192.0.2.1/tcp/1/p2p/$other";
        yield 'a name that is none' => [fn (string $f) => Trust::file($write($f, "$id Box\n"))];
        yield 'the name any' => [fn (string $f) => Trust::file($write($f, "$id any\n"))];
        yield 'a name of two' => [fn (string $f) => Trust::file($write($f, "$id box\n$other box\n"))];
        yield 'one with two names' => [fn (string $f) => Trust::file($write($f, "$id box\n$id den\n"))];
        yield 'the address of another' => [fn (string $f) => Trust::file($write($f, "$id box $address\n"))];
        yield 'a file that is not text' => [fn (string $f) => Trust::file($write($f, "\xff"))];
        yield 'a file that is too large' => [fn (string $f) => Trust::file($write($f, str_repeat("\n", 1048577)))];
        yield 'no file' => [fn () => Trust::file('/nowhere')];
        yield 'no PEM' => [fn () => Trust::pem('hello')];
        $private = "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n";
        yield 'a private key' => [fn () => Trust::pem($private)];
        yield 'two keys' => [fn () => Trust::pem(str_repeat(self::pem(self::SPKI . $key), 2))];
        yield 'a cut key' => [fn () => Trust::pem(self::pem(substr(self::SPKI . $key, 0, -1)))];
        yield 'another kind of key' => [fn () => Trust::pem(self::pem(str_replace("\x70", "\x6e", self::SPKI) . $key))];
        yield 'a key that is too short' => [fn () => PeerId::ofKey('short')];
        yield 'a digest' => [fn () => new Expect(module: 'abc')];
        yield 'a guard' => [fn () => new Expect(guards: ['walls'])];
        yield 'an exit code' => [fn () => new Expect(exitCodes: [-1])];
        yield 'contents' => [fn () => Content::ofFile('/nowhere')];
    }

    /** @dataProvider untrustworthy */
    public function testWhatCannotBeTrustedIsRefused(\Closure $call): void
    {
        self::thrown(InvalidArgumentException::class, fn () => $call($this->folder));
    }

    public function testAResultDocument(): void
    {
        $module = self::example('wordcount');
        file_put_contents("$this->folder/in", 'to be');
        $command = [self::bin('plasm-run'), '--json', '--stdin', "$this->folder/in", $module];
        exec(implode(' ', array_map('escapeshellarg', $command)), $lines);
        $json = implode("\n", $lines);
        $signer = exec(escapeshellarg(self::bin('plasm-run')) . ' --identity');
        $verifier = new Verifier(Trust::peers($signer));
        $stdout = ResultDocument::fromJson($json)->stdout;
        $statement = $verifier->verifyResult($json, new Expect(
            module: Digest::ofFile($module),
            stdin: Content::ofFile("$this->folder/in"),
            stdout: Content::of($stdout),
            stderr: Content::of(''),
            guards: ['seccomp'],
            exitCodes: [0],
        ));
        self::assertSame($signer, $statement->node->peerId);
        self::assertSame("0 2 5\n", $stdout);
        $reasons = [
            'module' => new Expect(module: Digest::EMPTY),
            'stdin' => new Expect(stdin: Content::of('')),
            'stdout' => new Expect(stdout: Content::of('')),
            'stderr' => new Expect(stderr: Content::of('x')),
            'outcome' => new Expect(exitCodes: [1, 2]),
        ];
        foreach ($reasons as $reason => $expect) {
            $verify = fn () => $verifier->verifyResult($json, $expect);
            self::assertSame($reason, self::thrown(UnverifiedException::class, $verify)->reason?->value);
        }
        $forged = str_replace(base64_encode($stdout), base64_encode('9 9 9'), $json);
        $verify = fn () => $verifier->verifyResult($forged);
        self::assertSame(Reason::Stdout, self::thrown(UnverifiedException::class, $verify)->reason);
        $verify = fn () => (new Verifier(Trust::peers()))->verifyResult($json);
        self::assertSame(Reason::Untrusted, self::thrown(UnverifiedException::class, $verify)->reason);
        $large = fn () => ResultDocument::fromJson($json, 100);
        self::assertSame(Rule::TooLarge, self::thrown(DocumentException::class, $large)->rule);
    }

    public function testPeerIdsOfManyKeys(): void
    {
        // Keys of which the first or the last bytes are 0 or 255, too.
        foreach (["\0", "\xff"] as $byte) {
            for ($n = 0; $n <= 32; $n++) {
                [$run, $rest] = [str_repeat($byte, $n), substr(random_bytes(32), $n)];
                foreach ([$run . $rest, $rest . $run] as $key) {
                    $id = PeerId::ofKey($key);
                    self::assertMatchesRegularExpression('/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/D', $id);
                    self::assertSame(bin2hex($key), bin2hex(PeerId::key($id)));
                }
            }
        }
    }

    public function testMessagesShowLittleOfWhatTheyQuote(): void
    {
        self::assertSame('"a\"b\\\\c\x0a"', Text::quote("a\"b\\c\n"));
        self::assertSame('"\xff\x00é"', str_replace('\xc3\xa9', 'é', Text::quote("\xff\0é")));
        self::assertSame('"ä€\xe2\x80\xa8"', Text::quote("ä€\u{2028}"));
        self::assertSame('"' . str_repeat('ä', 72) . '…"', Text::quote(str_repeat('ä', 100)));
        self::assertSame('a b c', Text::line("a\nb\x7fc\u{85}"));
        self::assertSame('aaaa…', Text::line('aaaaä', 5));
        self::assertSame('a?b', Text::line("a\xffb"));
    }

    public function testNothingBeyondTheMaxima(): void
    {
        $deep = str_repeat('[', 16) . str_repeat(']', 16);
        self::assertIsArray(Scanner::parse($deep));
        $deeper = fn () => Scanner::parse("[$deep]");
        self::assertSame(Rule::Depth, self::thrown(DocumentException::class, $deeper)->rule);
        // Recursion never follows a stranger further than that.
        self::thrown(DocumentException::class, fn () => Scanner::parse(str_repeat('[', 1 << 20)));
        foreach (['Node', 'Manifest', 'ErrorDocument'] as $class) {
            $class = "Plasm\\$class";
            $read = fn () => $class::fromJson(str_repeat(' ', $class::MAX_BYTES + 1));
            self::assertSame(Rule::TooLarge, self::thrown(DocumentException::class, $read)->rule);
        }
        $read = fn () => \Plasm\JobDocument::fromJson('{}', 1);
        self::assertSame(Rule::TooLarge, self::thrown(DocumentException::class, $read)->rule);
        // What fits as it stands must fit written out in full, too.
        $id = str_repeat('0', 32);
        $manifest = '{"version":"1","id":"' . $id . '","module_hash":"' . Digest::EMPTY . '","args":["'
            . str_repeat('x', 261950) . '"]}';
        self::assertLessThan(262144, strlen($manifest));
        $read = fn () => \Plasm\Manifest::fromJson($manifest);
        self::assertSame(Rule::TooLarge, self::thrown(DocumentException::class, $read)->rule);
    }
}
