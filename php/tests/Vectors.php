<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Content;
use Plasm\Digest;
use Plasm\Expect;
use Plasm\Json\Fields;
use Plasm\Json\JsonObject;
use Plasm\Json\Scanner;
use Plasm\Manifest;

/**
 * Reads the shared vectors. Their format is closed: whatever isn't known in them
 * is an error.
 */
final class Vectors
{
    private const FOLDER = __DIR__ . '/../../schemas/vectors';
    private const DOCUMENT = [
        'name', 'comment', 'valid', 'reason', 'field', 'schema', 'canonical', 'equals', 'text', 'base64',
    ];
    private const RECEIPT = ['name', 'valid', 'reason', 'of', 'text', 'base64', 'pad_to', 'trusted', 'expect'];
    private const EXPECT = ['module', 'manifest', 'stdin', 'stdout', 'stderr', 'in', 'out', 'guards', 'exit_codes'];

    private function __construct()
    {
    }

    /** @return list<array<string, mixed>> the vectors of a file */
    public static function of(string $kind): array
    {
        $file = new Fields(Scanner::parse((string) file_get_contents(self::FOLDER . "/$kind.json")), $kind);
        $file->version('version', '1');
        $file->oneOf('kind', $kind);
        $vectors = [];
        foreach ($file->objects('vectors') as $f) {
            $f->only(...$kind === 'receipts' ? self::RECEIPT : self::DOCUMENT);
            if ($f->bool('valid') === $f->has('reason') || $f->has('text') === $f->has('base64')) {
                throw new \UnexpectedValueException($f->string('name') . ': not one document and one verdict');
            }
        }
        foreach ($file->array('vectors') as $v) {
            $vectors[] = $v->members;
        }
        return $vectors;
    }

    /** @param array<string, mixed> $vector */
    public static function bytes(array $vector): string
    {
        $bytes = $vector['text'] ?? base64_decode($vector['base64'], true);
        return str_pad($bytes, $vector['pad_to'] ?? 0);
    }

    /** What the caller of a receipt's vector has. */
    public static function expect(JsonObject $object): Expect
    {
        (new Fields($object, 'expect'))->only(...self::EXPECT);
        $e = $object->members;
        $bytes = static fn (string $name): string => (string) base64_decode($e[$name], true);
        $content = static fn (string $name): ?Content => isset($e[$name]) ? Content::of($bytes($name)) : null;
        return new Expect(
            module: isset($e['module']) ? Digest::of($bytes('module')) : null,
            manifest: isset($e['manifest']) ? Manifest::fromJson($e['manifest']) : null,
            stdin: $content('stdin'),
            stdout: $content('stdout'),
            stderr: $content('stderr'),
            in: isset($e['in']) ? $e['in']->members : [],
            out: isset($e['out']) ? $e['out']->members : [],
            guards: $e['guards'] ?? [],
            exitCodes: $e['exit_codes'] ?? [],
        );
    }
}
