<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Json\Fields;
use Plasm\Json\Rule;
use Plasm\Json\Scanner;

/**
 * Why a node didn't take a job.
 */
final class Rejection
{
    // list of rejections in PHP, written by make docs
    /** The codes, a closed set: try another node, the same one later, or give up. */
    public const CODES = [
        'memory', 'cpu_cores', 'arch', 'engine', 'guards', 'timeout', 'module_too_large', 'input_too_large',
        'output_too_large', 'tree_too_large', 'disk', 'not_allowed', 'compile_limit', 'relay_limited', 'unreachable',
        'expired', 'internal', 'shutting_down', 'busy', 'rate_limited', 'bad_manifest', 'bad_module', 'module_refused',
        'hash_mismatch', 'conflict', 'unknown_job',
    ];
    // end of words

    /**
     * @param string          $peerId       who was asked
     * @param ?string         $addr         the multiaddress it was asked at
     * @param string          $code         one of {@see CODES}
     * @param string          $message      for people
     * @param int|string|null $need         what the job asks for
     * @param int|string|null $have         what the node can give
     * @param ?int            $retryAfterMs when to try again, in milliseconds
     */
    private function __construct(
        public readonly string $peerId,
        public readonly ?string $addr,
        public readonly string $code,
        public readonly string $message,
        public readonly int|string|null $need,
        public readonly int|string|null $have,
        public readonly ?int $retryAfterMs,
    ) {
    }

    /** @internal */
    public static function fromFields(Fields $f): self
    {
        $addr = $f->optNonEmpty('addr');
        if ($addr !== null && ($addr[0] !== '/' || strlen($addr) < 2)) {
            throw $f->fail('addr', Rule::Format, Json\Text::quote($addr) . ' is not a multiaddress');
        }
        $r = $f->object('rejection');
        return new self(
            peerId: $f->peerId('peer_id'),
            addr: $addr,
            code: $r->oneOf('code', ...self::CODES),
            message: $r->nonEmpty('message'),
            need: self::amount($r, 'need'),
            have: self::amount($r, 'have'),
            retryAfterMs: $r->optInt('retry_after_ms', 1, Scanner::MAX_INT),
        );
    }

    private static function amount(Fields $f, string $name): int|string|null
    {
        if (!$f->has($name)) {
            return null;
        }
        return is_string($f->value($name)) ? $f->nonEmpty($name) : $f->int($name, 0, Scanner::MAX_INT);
    }
}
