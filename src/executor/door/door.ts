import { randomUUID } from 'node:crypto';
import { refuse } from '../../domain/codes.js';
import type { Signed } from '../../domain/dsse.js';
import type { ActionId } from '../../domain/ids.js';
import { Buckets } from '../../http/buckets.js';
import { jsonBody, signedOf } from '../../http/body.js';
import { answer, problemResponse, Refused } from '../../http/problem.js';
import { serve, type RunningServer } from '../../http/serve.js';
import type { Executor } from '../executor.js';
import { takeStop } from './take-stop.js';

export interface DoorOptions {
  /** `127.0.0.1:7879`, `[::1]:7879`; port 0: a free one. */
  readonly at: string;
  readonly executor: Executor;
  /** Called with what is on record now: its run may not know yet. */
  readonly onStands: (actionId: ActionId, signed: Signed) => void;
}

const MAX_BYTES = 65_536;
/** From one address, and from all together: more than people send, less than a ledger bears. */
const PER_ADDRESS = { perMinute: 60, burst: 20 };
const TOGETHER = { perMinute: 1_200, burst: 100 };
const MAX_AT_ONCE = 20;
/** Whoever sends slowly, or only opens connections, is cut off. */
const SERVER = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 1_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8_192,
};
const CONNECTIONS = { all: 200, perAddress: 20 };

/**
 * The executor's own door (§9): one small HTTP server that takes signed stop messages and nothing else, so that the brake needs neither API nor Temporal.
 * It speaks no TLS. Throws with plain words if it cannot listen there.
 */
export async function openDoor({ at, executor, onStands }: DoorOptions): Promise<RunningServer> {
  const { host, port } = addressOf(at);
  const limits = { perAddress: new Buckets(PER_ADDRESS), together: new Buckets(TOGETHER, 1), atOnce: 0 };
  const fetch = async (request: Request, from: string): Promise<Response> => {
    const requestId = randomUUID();
    try {
      return await answerTo(request, from);
    } catch (error) {
      if (error instanceof Refused) return problemResponse(error, requestId);
      executor.log('door failed', { requestId, error: error instanceof Error ? error.message : String(error) });
      const text = 'The executor failed while answering: this message is not known to be on record. Sent again, it counts once.';
      return problemResponse(new Refused(refuse('ledger_invalid', text), { headers: { 'retry-after': '3' } }), requestId);
    }
  };
  const answerTo = async (request: Request, from: string): Promise<Response> => {
    const route = `${request.method} ${new URL(request.url).pathname}`;
    if (route === 'GET /healthz' || route === 'HEAD /healthz') return answer(200, { status: 'ok' });
    if (route !== 'POST /v1/stops')
      throw new Refused(refuse('request_invalid', 'there is only POST /v1/stops here, and GET /healthz'), { status: 404 });
    const now = performance.now();
    const wait = limits.perAddress.take(from, now) ?? limits.together.take('all', now);
    if (wait !== undefined || limits.atOnce >= MAX_AT_ONCE)
      throw new Refused(refuse('rate_limited'), { headers: { 'retry-after': String(wait ?? 1) } });
    limits.atOnce++;
    try {
      const signed = signedOf(await jsonBody(request, MAX_BYTES), MAX_BYTES);
      const stood = await takeStop(executor, signed);
      if (stood.actionId !== null) onStands(stood.actionId, signed);
      return answer(200, stood.answer);
    } finally {
      limits.atOnce--;
    }
  };
  try {
    return await serve({ port, host, fetch: (request, from) => hardened(fetch(request, from)), server: SERVER, connections: CONNECTIONS });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The door cannot listen on ${at}: ${why}. Free that address, or name another in KEYTURN_DOOR.`);
  }
}

function addressOf(at: string): { readonly host: string; readonly port: number } {
  const [, v6, name, digits] = /^(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(at) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65_535) throw new Error(`"${at}" is no address for the door. Write host:port, as 127.0.0.1:7879.`);
  return { host, port };
}

async function hardened(answering: Promise<Response>): Promise<Response> {
  const response = await answering;
  for (const [name, value] of [
    ['cache-control', 'no-store'],
    ['x-content-type-options', 'nosniff'],
    ['connection', 'close'],
  ] as const)
    response.headers.set(name, value);
  return response;
}
