<?php

declare(strict_types=1);

namespace Plasm\Tests;

use PHPUnit\Framework\TestCase;
use Plasm\ErrorDocument;
use Plasm\Exception\DocumentException;
use Plasm\Exception\UnverifiedException;
use Plasm\JobDocument;
use Plasm\Json\JsonObject;
use Plasm\Json\Scanner;
use Plasm\Manifest;
use Plasm\Node;
use Plasm\Outcome;
use Plasm\ResultDocument;
use Plasm\Statement;
use Plasm\Tree;
use Plasm\Trust;
use Plasm\Verifier;

/**
 * Every shared vector: what every reader must accept, and refuse for the same
 * reason. (protocol.json is for those who speak to nodes themselves.)
 */
final class VectorsTest extends TestCase
{
    /** @var array<string, array<string, mixed>> what valid vectors were read as, by file and name */
    private static array $read = [];

    /** @return iterable<string, array{string, array<string, mixed>}> */
    public static function documents(): iterable
    {
        $kinds = ['profile', 'manifest', 'draft', 'job', 'result', 'outcome', 'statement', 'error', 'node', 'tree'];
        foreach ($kinds as $kind) {
            foreach (Vectors::of($kind) as $vector) {
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
        try {
            $value = self::read($kind, Vectors::bytes($vector));
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
        foreach (Vectors::of('receipts') as $vector) {
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
        try {
            $verifier = new Verifier(Trust::peers(...$vector['trusted']));
            $verifier->verify(Vectors::bytes($vector), Vectors::expect($vector['expect']));
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
            'tree' => Tree::fromJson($bytes),
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
}
