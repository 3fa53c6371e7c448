<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\DocumentException;
use Plasm\Exception\UnverifiedException;
use Plasm\Json\Base64;
use Plasm\Json\Fields;
use Plasm\Json\Scanner;
use Plasm\Json\Text;

/**
 * A receipt: a DSSE envelope around a signed statement. It is well-formed, and
 * nothing more: only a {@see Verifier} says whose word it is.
 */
final class Receipt
{
    public const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
    /** The most bytes of an envelope: one less than 1 MiB. */
    public const MAX_BYTES = 1048575;
    public const MAX_SIGNATURES = 8;

    /**
     * @param string       $json       the envelope as it came, to keep or to pass on
     * @param string       $payload    the statement's bytes, which are what is signed
     * @param list<string> $signatures of 64 bytes each, if they are any good
     */
    private function __construct(
        public readonly string $json,
        public readonly string $payload,
        public readonly array $signatures,
    ) {
    }

    /**
     * Reads an envelope.
     *
     * @throws UnverifiedException when it is none, with a reason from TooLarge to DuplicateSignature
     */
    public static function fromJson(string $json): self
    {
        if (strlen($json) > self::MAX_BYTES) {
            $detail = strlen($json) . ' bytes, more than the ' . self::MAX_BYTES . ' of an envelope';
            throw UnverifiedException::because(Reason::TooLarge, $detail);
        }
        try {
            return self::fromValue(Scanner::parse($json), $json);
        } catch (DocumentException $e) {
            throw new UnverifiedException(
                'not verified: bad_json: ' . $e->getMessage(),
                Reason::BadJson,
                'envelope',
                $e,
            );
        }
    }

    private static function fromValue(mixed $value, string $json): self
    {
        $f = new Fields($value, 'envelope');
        $payload = $f->string('payload');
        $type = $f->string('payloadType');
        $encoded = [];
        foreach ($f->objects('signatures') as $s) {
            $encoded[] = $s->string('sig');
            $s->optString('keyid'); // ignored: a hint that nobody signed
        }
        $f->close();
        if ($type !== self::PAYLOAD_TYPE) {
            throw UnverifiedException::because(
                Reason::BadPayloadType,
                Text::quote($type) . ' is not ' . self::PAYLOAD_TYPE,
            );
        }
        $payload = self::base64($payload, 'payload');
        $signatures = [];
        foreach ($encoded as $i => $sig) {
            $signatures[] = self::base64($sig, "signatures[$i].sig");
        }
        self::checkCount($signatures);
        return new self($json, $payload, $signatures);
    }

    private static function base64(string $s, string $what): string
    {
        return Base64::decode($s) ?? throw UnverifiedException::because(
            Reason::BadBase64,
            "$what: not standard, padded, canonical base64",
        );
    }

    /** @param list<string> $signatures */
    private static function checkCount(array $signatures): void
    {
        $n = count($signatures);
        if ($n < 1 || $n > self::MAX_SIGNATURES) {
            throw UnverifiedException::because(Reason::SignatureCount, "$n is not in 1…" . self::MAX_SIGNATURES);
        }
        foreach ($signatures as $i => $sig) {
            $j = array_search($sig, $signatures, true);
            if ($j !== $i) {
                $detail = "signatures[$j] and signatures[$i] are the same";
                throw UnverifiedException::because(Reason::DuplicateSignature, $detail);
            }
        }
    }

    /**
     * What the receipt claims, whoever signed it: nothing to rely on, and never a
     * reason to trust.
     *
     * @throws UnverifiedException when the payload is no statement: BadJson or BadStatement
     */
    public function claims(): Statement
    {
        try {
            return Statement::fromJson($this->payload);
        } catch (DocumentException $e) {
            if ($e->rule->isOfProfile()) {
                $message = 'not verified: bad_json: ' . $e->getMessage();
                throw new UnverifiedException($message, Reason::BadJson, 'payload', $e);
            }
            throw UnverifiedException::because(Reason::BadStatement, $e->getMessage(), $e);
        }
    }
}
