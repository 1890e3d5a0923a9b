import type { ErrorCode } from '../domain/codes.js';
import { EXIT, type ExitCode } from './exit.js';

/** Codes of this command line alone; everything a server or an executor refuses has its code in `domain/codes.ts`. */
export type CliCode =
  | ErrorCode
  | 'usage'
  | 'nothing_shown'
  | 'not_confirmed'
  | 'no_such_action'
  | 'ambiguous_id'
  | 'api_unreachable'
  | 'door_unreachable'
  | 'api_answer_invalid'
  | 'config_invalid'
  | 'key_invalid'
  | 'file_exists'
  | 'file_unreadable'
  | 'part_missing'
  | 'part_failed'
  | 'internal';

/** One plain sentence, what to do about it, and a stable code. Both texts must be inert already. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    readonly code: CliCode,
    readonly text: string,
    readonly remedy: string,
    readonly exit: ExitCode = EXIT.error,
    /** Lines to read before the sentence: what differs, what is ambiguous. */
    readonly details: readonly string[] = [],
  ) {
    super(text);
  }
}

/** The command was not understood, or asks for what cannot be: exit code 2. */
export const usage = (text: string, remedy: string): CliError => new CliError('usage', text, remedy, EXIT.usage);

/** Any error as one to print. Files and ledgers that are refused carry their own words. */
export function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error)) return new CliError('internal', String(error), REPORT);
  // By name: their modules are not loaded for commands that never throw them.
  if (error.name === 'FileRefused') return new CliError(codeIn(error), error.message, 'Correct the lines named.');
  if (error.name === 'LedgerRefused')
    return new CliError('ledger_invalid', error.message, 'Point to the right ledger, or make one: keyturn ledger init');
  return new CliError('internal', error.message, REPORT);
}

/** Of the file system: `ENOENT`, `EEXIST` …. */
export const hasCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;

const REPORT = 'If this is not clear from the message, `keyturn doctor` looks at the usual causes.';

function codeIn(error: Error): CliCode {
  const problems: unknown = 'problems' in error ? error.problems : undefined;
  const first: unknown = Array.isArray(problems) ? problems[0] : undefined;
  const named = typeof first === 'object' && first !== null && 'code' in first ? first.code : undefined;
  return named === 'policy_invalid' || named === 'policy_unsupported' ? named : 'roster_invalid';
}
