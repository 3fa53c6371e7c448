<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\DocumentException;
use Plasm\Json\Fields;
use Plasm\Json\Rule;
use Plasm\Json\Scanner;

/**
 * An error document: what a command writes with --json when no job started.
 */
final class ErrorDocument
{
    /** The most bytes of an error document. */
    public const MAX_BYTES = 16777216;

    /**
     * @param string          $message for people, one line
     * @param ?string         $hint    what to do about it
     * @param list<Rejection> $nodes   what each node that was asked said
     */
    private function __construct(
        public readonly ErrorCode $code,
        public readonly string $message,
        public readonly ?string $hint,
        public readonly array $nodes,
    ) {
    }

    /**
     * Reads an error document.
     *
     * @throws DocumentException when it breaks a rule
     */
    public static function fromJson(string $json): self
    {
        if (strlen($json) > self::MAX_BYTES) {
            $problem = strlen($json) . ' bytes, more than the ' . self::MAX_BYTES . ' allowed';
            throw DocumentException::field('error document', Rule::TooLarge, $problem);
        }
        $document = new Fields(Scanner::parse($json), 'document');
        $f = $document->object('error');
        $error = new self(
            code: ErrorCode::from($f->oneOf('code', ...array_column(ErrorCode::cases(), 'value'))),
            message: $f->nonEmpty('message'),
            hint: $f->optNonEmpty('hint'),
            nodes: array_map(Rejection::fromFields(...), $f->optObjects('nodes')),
        );
        $document->close();
        return $error;
    }
}
