<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\DocumentException;
use Plasm\Json\Fields;
use Plasm\Json\JsonObject;
use Plasm\Json\Rule;
use Plasm\Json\Scanner;
use Plasm\Json\Text;

/**
 * A result document: a receipt with the outputs that it speaks of, as
 * `plasm-run --json` writes it. Nothing of it is verified; see
 * {@see Verifier::verifyResult()}.
 */
final class ResultDocument
{
    private const MAX_ENVELOPES = 31;
    private const MAX_TRACE = 16;
    private const MAX_TRACE_NAME = 128; // bytes

    /**
     * @param string $receipt the envelope as it stands in the document, an object in the JSON profile
     * @param string $stdout  what the program wrote there
     * @param string $stderr  likewise
     * @param list<string> $trace of a trap, the functions that were running, the innermost first: the word of the
     *                            worker that ran the program, which nobody has signed
     * @param list<string> $receipts envelopes of the nodes that agree, with `--quorum`
     * @param list<string> $dissent  envelopes of the others that were asked
     * @param bool $reused whether it is of an earlier run of the same job
     * @param array<string, string> $trees documents of {@see Tree}s by their digests, of folders that the program
     *                                     has left
     * @param array<string, string> $blobs contents of the files in these, by their digests
     */
    private function __construct(
        public readonly string $receipt,
        public readonly string $stdout,
        public readonly string $stderr,
        public readonly array $trace,
        public readonly array $receipts,
        public readonly array $dissent,
        public readonly bool $reused,
        public readonly array $trees,
        public readonly array $blobs,
    ) {
    }

    /**
     * Reads a result document.
     *
     * @param int $maxBytes more are refused
     *
     * @throws DocumentException when it breaks a rule
     */
    public static function fromJson(string $json, int $maxBytes = 1 << 30): self
    {
        if (strlen($json) > $maxBytes) {
            $problem = strlen($json) . " bytes, more than the $maxBytes allowed";
            throw DocumentException::field('result document', Rule::TooLarge, $problem);
        }
        [$value, $places] = Scanner::parseWithPlaces($json);
        $f = new Fields($value, 'result');
        $f->only('receipt', 'stdout', 'stderr', 'trace', 'receipts', 'dissent', 'reused', 'trees', 'blobs');
        $f->object('receipt')->skip();
        [$begin, $end] = $places['receipt'];
        if ($end - $begin > Receipt::MAX_BYTES) {
            $problem = 'more than the ' . Receipt::MAX_BYTES . ' bytes allowed';
            throw DocumentException::field('result.receipt', Rule::TooLarge, $problem);
        }
        $document = new self(
            substr($json, $begin, $end - $begin),
            $f->base64('stdout'),
            $f->base64('stderr'),
            self::trace($f),
            self::envelopes($f, 'receipts'),
            self::envelopes($f, 'dissent'),
            $f->optBool('reused') ?? false,
            $f->byDigest('trees', Manifest::MAX_DIRS),
            $f->byDigest('blobs', Manifest::MAX_DIRS * Tree::MAX_ENTRIES),
        );
        $f->close();
        return $document;
    }

    /**
     * A list of envelopes, each as JSON that says the same.
     *
     * @return list<string> none when it is absent
     */
    private static function envelopes(Fields $f, string $name): array
    {
        if (!$f->has($name)) {
            return [];
        }
        $objects = $f->objects($name);
        if ($objects === [] || count($objects) > self::MAX_ENVELOPES) {
            throw $f->fail($name, Rule::Count, count($objects) . ' receipts, not 1 to ' . self::MAX_ENVELOPES);
        }
        $out = [];
        foreach ($objects as $i => $object) {
            $object->skip();
            $out[] = json_encode(self::plain($f->array($name)[$i]), JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES);
        }
        return $out;
    }

    private static function plain(mixed $value): mixed
    {
        return match (true) {
            $value instanceof JsonObject => (object) array_map(self::plain(...), $value->members),
            is_array($value) => array_map(self::plain(...), $value),
            default => $value,
        };
    }

    /**
     * The member trace.
     *
     * @return list<string> none when it is absent
     */
    private static function trace(Fields $f): array
    {
        if (!$f->has('trace')) {
            return [];
        }
        $trace = $f->strings('trace');
        if ($trace === [] || count($trace) > self::MAX_TRACE) {
            throw $f->fail('trace', Rule::Count, count($trace) . ' functions, not 1 to ' . self::MAX_TRACE);
        }
        foreach ($trace as $i => $name) {
            if ($name === '' || strlen($name) > self::MAX_TRACE_NAME || preg_match('/\p{Cc}/u', $name) !== 0) {
                $problem = Text::quote($name) . ' is not 1 to ' . self::MAX_TRACE_NAME . ' bytes of text on one line';
                throw $f->fail("trace[$i]", Rule::Format, $problem);
            }
        }
        return $trace;
    }
}
