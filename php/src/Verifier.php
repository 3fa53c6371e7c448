<?php

declare(strict_types=1);

namespace Plasm;

use Plasm\Exception\UnverifiedException;

/**
 * Checks receipts, in PHP alone: no command is called and no network is used.
 * The checks, their order and their names are those of plasm-verify.
 */
final class Verifier
{
    /** Of how many nodes agreement can be asked for at most. */
    public const MAX_QUORUM = 16;

    /**
     * @param Trust $trust whose word counts; with nobody in it every receipt is Untrusted
     */
    public function __construct(public readonly Trust $trust)
    {
    }

    /**
     * Checks a receipt, and that it is about what the caller has.
     *
     * @param Receipt|string $receipt an envelope's JSON, or what was read from it
     * @param ?Expect        $expect  what it must be about; null asks for nothing
     *
     * @return Statement what a trusted node has signed
     *
     * @throws UnverifiedException with the first check that failed
     */
    public function verify(Receipt|string $receipt, ?Expect $expect = null): Statement
    {
        if (is_string($receipt)) {
            $receipt = Receipt::fromJson($receipt);
        }
        $signers = $this->signers($receipt);
        if ($signers === []) {
            throw UnverifiedException::because(Reason::Untrusted, sprintf(
                'no signature verifies under a trusted key (signatures: %d, keys: %d)',
                count($receipt->signatures),
                count($this->trust->keys()),
            ));
        }
        $statement = $receipt->claims(); // signed now, so they may be read
        if (!in_array($statement->node->peerId, $signers, true)) {
            $detail = "node.peer_id is {$statement->node->peerId}, signed by $signers[0]";
            throw UnverifiedException::because(Reason::WrongSigner, $detail);
        }
        $expect?->check($statement);
        return $statement;
    }

    /**
     * Checks a result document: its receipt, and its outputs against that.
     *
     * @param ?Expect $expect what else it must be about; its stdout and stderr are checked beside the document's
     *
     * @throws UnverifiedException         with the first check that failed
     * @throws Exception\DocumentException when it is no result document
     */
    public function verifyResult(ResultDocument|string $result, ?Expect $expect = null): Statement
    {
        if (is_string($result)) {
            $result = ResultDocument::fromJson($result);
        }
        $expect ??= new Expect();
        $statement = $this->verify($result->receipt, new Expect(
            module: $expect->module,
            manifest: $expect->manifest,
            stdin: $expect->stdin,
            stdout: Content::of($result->stdout),
        ));
        (new Expect(stdout: $expect->stdout, stderr: Content::of($result->stderr)))->check($statement);
        (new Expect(stderr: $expect->stderr, carried: array_keys($result->trees)))->check($statement);
        $expect->check($statement);
        return $statement;
    }

    /**
     * Checks that nodes agree: that so many different trusted keys have signed the same manifest and the same
     * outcome. A receipt of a key that isn't trusted does not count; one that says something else is a refusal.
     * It shows that keys say the same, not that each node has computed it: a node may copy another's answer.
     *
     * @param int                  $n        how many, 2 or more
     * @param list<Receipt|string> $receipts envelopes, such as {@see ResultDocument::$receipts}
     * @param ?Expect              $expect   what all of them must be about
     *
     * @throws UnverifiedException with the first check that failed
     */
    public function verifyQuorum(int $n, array $receipts, ?Expect $expect = null): Statement
    {
        $first = null;
        $signers = [];
        foreach ($receipts as $receipt) {
            try {
                $s = $this->verify($receipt);
            } catch (UnverifiedException) {
                continue;
            }
            $expect?->check($s);
            $first ??= $s;
            $who = $s->node->peerId;
            $detail = match (true) {
                $s->vote() === null => $s->outcome->ending() . ' is not an end that another run must have',
                ($field = $first->manifest->difference($s->manifest)) !== null
                    => "the receipt of $who is about another manifest: $field differs",
                $s->vote() !== $first->vote() => "$who has signed another outcome than {$first->node->peerId}",
                default => null,
            };
            if ($detail !== null) {
                throw UnverifiedException::because(Reason::Quorum, $detail);
            }
            $signers[$who] = true;
        }
        if ($first === null || count($signers) < $n) {
            throw UnverifiedException::because(Reason::Quorum, count($signers) . " of $n signers");
        }
        return $first;
    }

    /** @return list<string> the peer IDs of the trusted keys under which a signature verifies */
    private function signers(Receipt $receipt): array
    {
        // DSSE's pre-authentication encoding. The bytes are signed as they are, never written anew.
        $message = sprintf(
            'DSSEv1 %d %s %d %s',
            strlen(Receipt::PAYLOAD_TYPE),
            Receipt::PAYLOAD_TYPE,
            strlen($receipt->payload),
            $receipt->payload,
        );
        $ids = [];
        foreach ($this->trust->keys() as $id => $key) {
            foreach ($receipt->signatures as $signature) {
                // libsodium refuses keys and points of small order, and what isn't canonical.
                if (
                    strlen($signature) === SODIUM_CRYPTO_SIGN_BYTES
                    && sodium_crypto_sign_verify_detached($signature, $message, $key)
                ) {
                    $ids[] = $id;
                    break;
                }
            }
        }
        return $ids;
    }
}
