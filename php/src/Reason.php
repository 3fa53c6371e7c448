<?php

declare(strict_types=1);

namespace Plasm;

/**
 * The check that a receipt did not pass, by the name that it has in every
 * language, in the order in which the checks run. BadJson stands in two places:
 * the envelope's and, after Untrusted, the payload's.
 */
enum Reason: string
{
    /** An envelope of 1 MiB or more. */
    case TooLarge = 'too_large';
    /** Not in the JSON profile, or no envelope. */
    case BadJson = 'bad_json';
    /** Not application/vnd.in-toto+json. */
    case BadPayloadType = 'bad_payload_type';
    /** Payload or a signature is not canonical base64. */
    case BadBase64 = 'bad_base64';
    /** No signature, or more than eight. */
    case SignatureCount = 'signature_count';
    /** Two signatures with the same bytes. */
    case DuplicateSignature = 'duplicate_signature';
    /** No signature verifies under a trusted key. */
    case Untrusted = 'untrusted';
    /** The payload breaks a rule of the statement. */
    case BadStatement = 'bad_statement';
    /** node.peer_id is not a key that verified. */
    case WrongSigner = 'wrong_signer';
    /** Another module than the caller's. */
    case Module = 'module';
    /** Another manifest. */
    case Manifest = 'manifest';
    /** Another input. */
    case Stdin = 'stdin';
    /** Another output. */
    case Stdout = 'stdout';
    /** Other diagnostics. */
    case Stderr = 'stderr';
    /** Another folder, before the job or after it. */
    case Dirs = 'dirs';
    /** A required guard was not active. */
    case Guards = 'guards';
    /** Another status or exit code than expected. */
    case Outcome = 'outcome';
    /** Too few different trusted keys have signed the same. */
    case Quorum = 'quorum';
}
