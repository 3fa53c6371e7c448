<?php

declare(strict_types=1);

namespace Plasm\Tests;

use PHPUnit\Framework\TestCase;
use Plasm\Content;
use Plasm\Digest;
use Plasm\ErrorDocument;
use Plasm\Exception\DocumentException;
use Plasm\Exception\UnverifiedException;
use Plasm\Expect;
use Plasm\JobDocument;
use Plasm\Json\Fields;
use Plasm\Json\JsonObject;
use Plasm\Json\Scanner;
use Plasm\Manifest;
use Plasm\Node;
use Plasm\Outcome;
use Plasm\ResultDocument;
use Plasm\Statement;
use Plasm\Trust;
use Plasm\Verifier;

/**
 * Every shared vector: what every reader must accept, and refuse for the same
 * reason. (protocol.json is for those who speak to nodes themselves.)
 */
final class VectorsTest extends TestCase
{
    private const FOLDER = __DIR__ . '/../../schemas/vectors';

    /** @var array<string, array<string, mixed>> what valid vectors were read as, by file and name */
    private static array $read = [];

    /** @return iterable<string, array{string, array<string, mixed>}> */
    public static function documents(): iterable
    {
        foreach (['profile', 'manifest', 'draft', 'job', 'result', 'outcome', 'statement', 'error', 'node'] as $kind) {
            foreach (self::vectors($kind) as $vector) {
                yield "$kind: $vector[name]" => [$kind, $vector];
            }
        }
    }

    /**
     * @dataProvider documents
     *
     * @param array<string, mixed> $vector
     */
    public function testDocument(string $kind, array $vector): void
    {
        $bytes = $vector['text'] ?? base64_decode($vector['base64'], true);
        try {
            $value = self::read($kind, $bytes);
        } catch (DocumentException $e) {
            self::assertFalse($vector['valid'], 'refused: ' . $e->getMessage());
            $reason = $vector['reason'];
            self::assertSame($reason, $reason === 'profile' ? self::profile($e) : $e->rule->value, $e->getMessage());
            if (isset($vector['field'])) {
                self::assertStringContainsString($vector['field'], $e->path);
            }
            self::assertMessage($e->getMessage());
            return;
        }
        self::assertTrue($vector['valid'], 'accepted, and must not be: ' . ($vector['reason'] ?? ''));
        if (isset($vector['canonical'])) {
            self::assertSame($vector['canonical'], self::write($value));
        }
        self::$read[$kind][$vector['name']] = $value;
    }

    /** @depends testDocument */
    public function testEqualDocuments(): void
    {
        $pairs = 0;
        foreach (self::documents() as [$kind, $vector]) {
            if (isset($vector['equals'])) {
                $pairs++;
                [$one, $other] = [self::$read[$kind][$vector['equals']], self::$read[$kind][$vector['name']]];
                self::assertEquals(self::content($one), self::content($other));
            }
        }
        self::assertGreaterThan(0, $pairs);
    }

    /** What a document says, without how it was written. */
    private static function content(mixed $value): mixed
    {
        return $value instanceof Node ? ['json' => ''] + get_object_vars($value) : $value;
    }

    /** @return iterable<string, array{array<string, mixed>}> */
    public static function receipts(): iterable
    {
        foreach (self::vectors('receipts') as $vector) {
            yield $vector['name'] => [$vector];
        }
    }

    /**
     * @dataProvider receipts
     *
     * @param array<string, mixed> $vector
     */
    public function testReceipt(array $vector): void
    {
        $envelope = $vector['text'] ?? base64_decode($vector['base64'], true);
        $envelope = str_pad($envelope, $vector['pad_to'] ?? 0);
        try {
            $verifier = new Verifier(Trust::peers(...$vector['trusted']));
            $verifier->verify($envelope, self::expect($vector['expect']));
        } catch (UnverifiedException $e) {
            self::assertFalse($vector['valid'], 'refused: ' . $e->getMessage());
            self::assertSame($vector['reason'], $e->reason?->value, $e->getMessage());
            self::assertSame($vector['of'] ?? null, $e->of);
            self::assertMessage($e->getMessage());
            return;
        }
        self::assertTrue($vector['valid'], 'verified, and must not be: ' . ($vector['reason'] ?? ''));
    }

    /** A message is one printable line of bounded length. */
    private static function assertMessage(string $message): void
    {
        self::assertMatchesRegularExpression('/^[^\x00-\x1f\x7f]{5,1000}$/Du', $message);
    }

    private static function profile(DocumentException $e): string
    {
        return $e->rule->isOfProfile() ? 'profile' : $e->rule->value;
    }

    /** @return list<array<string, mixed>> the vectors of a file, whose own form is checked */
    private static function vectors(string $kind): array
    {
        $document = Scanner::parse((string) file_get_contents(self::FOLDER . "/$kind.json"));
        $file = new Fields($document, $kind);
        self::assertSame('1', $file->string('version'));
        self::assertSame($kind, $file->string('kind'));
        $members = $kind === 'receipts'
            ? ['name', 'valid', 'reason', 'of', 'text', 'base64', 'pad_to', 'trusted', 'expect']
            : ['name', 'comment', 'valid', 'reason', 'field', 'schema', 'canonical', 'equals', 'text', 'base64'];
        $out = [];
        foreach ($file->array('vectors') as $v) {
            self::assertInstanceOf(JsonObject::class, $v);
            self::assertSame([], array_diff(array_keys($v->members), $members), 'an unknown member');
            self::assertSame($v->members['valid'], !isset($v->members['reason']));
            self::assertNotSame(isset($v->members['text']), isset($v->members['base64']));
            $out[] = $v->members;
        }
        return $out;
    }

    private static function read(string $kind, string $bytes): mixed
    {
        return match ($kind) {
            'profile' => Scanner::parse($bytes),
            'manifest' => Manifest::fromJson($bytes),
            'draft' => Manifest::draft($bytes),
            'job' => JobDocument::fromJson($bytes),
            'result' => ResultDocument::fromJson($bytes),
            'outcome' => Outcome::fromValue(Scanner::parse($bytes), 'outcome'),
            'statement' => Statement::fromJson($bytes),
            'error' => ErrorDocument::fromJson($bytes),
            'node' => Node::fromJson($bytes),
        };
    }

    /** The value written again, as the vectors' README has it. */
    private static function write(mixed $value): string
    {
        if (is_string($value)) {
            $escape = static fn (array $m): string => $m[0] === '"' || $m[0] === '\\'
                ? '\\' . $m[0] : sprintf('\\u%04x', ord($m[0]));
            return '"' . preg_replace_callback('/["\\\\\x00-\x1f]/', $escape, $value) . '"';
        }
        if ($value instanceof JsonObject) {
            $members = [];
            foreach ($value->members as $name => $v) {
                $members[] = self::write((string) $name) . ':' . self::write($v);
            }
            return '{' . implode(',', $members) . '}';
        }
        return is_array($value)
            ? '[' . implode(',', array_map(self::write(...), $value)) . ']'
            : var_export($value, true);
    }

    private static function expect(JsonObject $object): Expect
    {
        $e = $object->members;
        $known = ['module', 'manifest', 'stdin', 'stdout', 'stderr', 'guards', 'exit_codes'];
        self::assertSame([], array_diff(array_keys($e), $known), 'an unknown member');
        $bytes = static fn (string $name): ?string => isset($e[$name]) ? base64_decode($e[$name], true) : null;
        $content = static fn (string $name): ?Content => isset($e[$name]) ? Content::of($bytes($name)) : null;
        return new Expect(
            module: isset($e['module']) ? Digest::of($bytes('module')) : null,
            manifest: isset($e['manifest']) ? Manifest::fromJson($e['manifest']) : null,
            stdin: $content('stdin'),
            stdout: $content('stdout'),
            stderr: $content('stderr'),
            guards: $e['guards'] ?? [],
            exitCodes: $e['exit_codes'] ?? [],
        );
    }
}
