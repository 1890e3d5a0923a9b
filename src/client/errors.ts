import type { Retry } from '../domain/codes.js';

/** What the API said, as the client throws it. */
export interface Problem {
  /** A stable code of the catalogue (docs/codes.md), or `unreachable`: no answer came from the API at all. */
  readonly code: string;
  /** The HTTP status; 0 for `unreachable`. */
  readonly status: number;
  readonly text: string;
  readonly remedy: string;
  /** What may be sent again: nothing, the same bytes, or a new proposal. */
  readonly retry: Retry;
}

/**
 * A refusal, or no answer. The message says what was wrong and what to do.
 * @example
 * try { await keyturn.propose(type, params, { reason, idempotencyKey }); }
 * catch (error) { if (error instanceof KeyturnError && error.code === 'params_invalid') … }
 */
export class KeyturnError extends Error {
  override readonly name = 'KeyturnError';
  readonly code: string;
  readonly status: number;
  readonly remedy: string;
  readonly retry: Retry;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(`${problem.code}: ${problem.text} ${problem.remedy}`.trim(), options);
    this.code = problem.code;
    this.status = problem.status;
    this.remedy = problem.remedy;
    this.retry = problem.retry;
  }
}

const RETRIES: readonly Retry[] = ['never', 'same', 'new_proposal'];

/** Reads a problem (RFC 9457) as far as it is one: a proxy in between may answer with anything. */
export function problemOf(status: number, body: unknown): Problem {
  const given = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  const text = (key: string): string => (typeof given[key] === 'string' ? given[key] : '');
  const retry = RETRIES.find((each) => each === given['retry']);
  return {
    code: text('code') || 'unreachable',
    status,
    text: text('detail') || `the API, or something before it, answered with HTTP ${status}.`,
    remedy: text('remedy'),
    retry: retry ?? (status >= 500 ? 'same' : 'never'),
  };
}
