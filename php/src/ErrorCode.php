<?php

declare(strict_types=1);

namespace Plasm;

/**
 * What kind of error a command ended with, a closed set.
 */
enum ErrorCode: string
{
    /** Wrong use of a command. */
    case Usage = 'usage';
    /** Asked for what this build can't do. */
    case Unsupported = 'unsupported';
    /** A file that is not there. */
    case NotFound = 'not_found';
    /** A manifest, job or result document that breaks a rule. */
    case BadManifest = 'bad_manifest';
    /** Not a module that can be run. */
    case BadModule = 'bad_module';
    /** A module beyond a static limit. */
    case ModuleRefused = 'module_refused';
    /** Compiling took too long or too much. */
    case CompileLimit = 'compile_limit';
    /** A key that can't be read, or that others can. */
    case BadKey = 'bad_key';
    /** Reading or writing went wrong. */
    case Io = 'io';
    /** A required guard isn't there. */
    case Guards = 'guards';
    /** Nobody trusted and fitting was found. */
    case NoNode = 'no_node';
    /** Every node refused. */
    case Refused = 'refused';
    /** The command's own deadline passed. */
    case Deadline = 'deadline';
    /** A result came that doesn't verify. */
    case Unverified = 'unverified';
    /** Nodes have signed different outcomes of one job. */
    case Disagreement = 'disagreement';
    /** Stopped by a signal before the job started. */
    case Cancelled = 'cancelled';
    /** A defect of plasm. */
    case Internal = 'internal';
}
