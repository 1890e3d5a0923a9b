import type { z } from 'zod';
import { problemSchema } from './wire.js';

/** Certain: the bank said no, and nothing happened by this request. */
export class BankRefused extends Error {
  override readonly name = 'BankRefused';
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
  ) {
    super(`${code}: ${message}`);
  }
}

/** Certain: nothing happened, and the bank wants the request later. */
export class BankBusy extends Error {
  override readonly name = 'BankBusy';
  readonly code = 'try_later';
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body?: object;
  readonly idempotencyKey?: string;
  readonly password?: string;
}

/** One request. Throws `BankRefused` or `BankBusy` when it is certain; any other error leaves open whether it happened. */
export async function callBank<Schema extends z.ZodType>(
  url: string,
  timeoutMs: number,
  call: Call,
  schema: Schema,
): Promise<z.output<Schema>> {
  const headers = new Headers();
  if (call.password !== undefined) headers.set('authorization', `Bearer ${call.password}`);
  if (call.idempotencyKey !== undefined) headers.set('idempotency-key', call.idempotencyKey);
  if (call.body !== undefined) headers.set('content-type', 'application/json');
  const response = await fetch(new URL(call.path, url), {
    method: call.method,
    headers,
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer: unknown = await response.json();
  if (response.ok) return schema.parse(answer);
  // A no that is not in the bank's words may come from something in between: then nothing is certain.
  const problem = problemSchema.parse(answer);
  if (response.status === 503 && problem.code === 'try_later') throw new BankBusy(problem.message);
  if (response.status >= 400 && response.status < 500) throw new BankRefused(problem.code, response.status, problem.message);
  throw new Error(`the bank answered ${response.status} ${problem.code}: ${problem.message}`);
}
