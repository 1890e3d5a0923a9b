import { CODES, refuse, type ErrorCode, type Refusal } from '../domain/codes.js';
import type { Problem9457 } from '../domain/http.js';

const RETRY_AFTER_S = 3;

/** A refusal on its way out of a handler. `status` and `remedy` come from the catalogue unless HTTP has a word of its own (404, 405). */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  readonly remedy: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly refusal: Refusal,
    over: { readonly status?: number; readonly remedy?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(`${refusal.code}: ${refusal.text}`);
    this.status = over.status ?? CODES[refusal.code].status;
    this.remedy = over.remedy ?? CODES[refusal.code].remedy;
    this.headers = { ...headersOf(refusal.code), ...over.headers };
  }
}

export const refused = (code: ErrorCode, text?: string): Refused => new Refused(refuse(code, text));

function headersOf(code: ErrorCode): Record<string, string> {
  if (CODES[code].status === 503 || code === 'rate_limited') return { 'retry-after': String(RETRY_AFTER_S) };
  return code === 'credential_invalid' ? { 'www-authenticate': 'Keyturn, Bearer' } : {};
}

/** RFC 9457. Never a stack: what the catalogue says, and what exactly was wrong. */
export function problemResponse({ refusal, status, remedy, headers }: Refused, requestId: string): Response {
  const { message, retry } = CODES[refusal.code];
  const problem: Problem9457 = {
    type: `urn:keyturn:problem:${refusal.code}`,
    title: message,
    status,
    code: refusal.code,
    detail: refusal.text,
    remedy,
    retry,
    requestId,
  };
  return new Response(JSON.stringify(problem), { status, headers: { ...headers, 'content-type': 'application/problem+json' } });
}

/** A plain JSON answer. */
export const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { ...headers, 'content-type': 'application/json' } });
