<?php

declare(strict_types=1);

namespace Plasm;

/**
 * What kind of error a command ended with, a closed set.
 */
enum ErrorCode: string
{
    // cases of ErrorCode, written by make docs
    /** Wrong use of the command. */
    case Usage = 'usage';
    /** Asked for what this build, or this machine, cannot do. */
    case Unsupported = 'unsupported';
    /** A file that is not there. */
    case NotFound = 'not_found';
    /** A manifest, job or result document that breaks a rule. */
    case BadManifest = 'bad_manifest';
    /** Not a module that can be run. */
    case BadModule = 'bad_module';
    /** A module beyond a limit. */
    case ModuleRefused = 'module_refused';
    /** Compiling took too long (60 s) or too much. */
    case CompileLimit = 'compile_limit';
    /** A key that cannot be read, or that others can. */
    case BadKey = 'bad_key';
    /** Reading or writing failed. */
    case Io = 'io';
    /** A required guard is not active. */
    case Guards = 'guards';
    /** No node was found that is trusted and fits. */
    case NoNode = 'no_node';
    /** Every node that was asked refused. */
    case Refused = 'refused';
    /** The time of the whole command is over. */
    case Deadline = 'deadline';
    /** A result came that does not verify, and nobody else could do it. */
    case Unverified = 'unverified';
    /** Nodes have signed different outcomes of one job, and too few agree. */
    case Disagreement = 'disagreement';
    /** Stopped by a signal before the job started. */
    case Cancelled = 'cancelled';
    /** A defect of plasm, or something that this machine refused it. */
    case Internal = 'internal';
    // end of words
}
