import { toBase64Url, utf8 } from '../domain/bytes.js';
import { canonicalize } from '../domain/json.js';
import { KeyturnError, problemOf } from './errors.js';
import type { Settings } from './settings.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** Longer than the API's longest poll, shorter than most proxies' patience is long. */
const CALL_MS = 60_000;

export interface CallOptions {
  /** Sent as JSON with POST; left out: GET. */
  readonly body?: unknown;
  /** Until when (ms since 1970) a network error, 429 or 503 is tried again. */
  readonly until: number;
  readonly signal?: AbortSignal;
}

/** One call of the API, repeated while it may be: every message of this client is safe to repeat (same bytes, same effect). */
export async function call(settings: Settings, path: string, options: CallOptions): Promise<unknown> {
  for (let tries = 0; ; tries++) {
    let error: KeyturnError;
    let pause = Math.min(FIRST_PAUSE_MS * 2 ** tries, LONGEST_PAUSE_MS);
    try {
      const response = await once(settings, path, options);
      const body: unknown = await response.json().catch(() => undefined);
      if (response.ok) return body;
      error = new KeyturnError(problemOf(response.status, body));
      if (!isPassing(response.status)) throw error;
      pause = Math.max(pause, retryAfterMs(response));
    } catch (thrown) {
      if (thrown instanceof KeyturnError) throw thrown;
      options.signal?.throwIfAborted();
      error = unreachable(settings.url, thrown);
    }
    if (Date.now() + pause > options.until) throw error;
    await sleep(pause, options.signal);
  }
}

/** Seconds; a date, which this API never sends, counts as nothing. */
const retryAfterMs = (response: Response): number => (Number(response.headers.get('retry-after')) || 0) * 1_000;

const isPassing = (status: number): boolean => status === 429 || status === 502 || status === 503 || status === 504;

function once(settings: Settings, path: string, { body, signal }: CallOptions): Promise<Response> {
  const method = body === undefined ? 'GET' : 'POST';
  const timeout = AbortSignal.timeout(CALL_MS);
  const url = new URL(settings.url + path);
  return settings.fetch(url, {
    method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...authorization(settings, method, url),
    },
    ...(body === undefined ? {} : { body: canonicalize(body) }),
    // A credential goes to the address it was meant for and to no other.
    redirect: 'error',
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
}

/** A message with a signature of its own needs no login; reads are signed for this method and path, and bearer agents show their key. */
function authorization({ credential, deployment }: Settings, method: 'GET' | 'POST', url: URL): Record<string, string> {
  if (credential.kind === 'bearer') return { authorization: `Bearer ${credential.bearer}` };
  if (method === 'POST') return {};
  const { key } = credential;
  const read = { v: 1, deployment, keyId: key.id, method, path: url.pathname + url.search, issuedAt: new Date().toISOString() };
  return { authorization: `Keyturn ${toBase64Url(utf8(JSON.stringify(key.sign('read', read))))}` };
}

const unreachable = (url: string, cause: unknown): KeyturnError =>
  new KeyturnError(
    {
      code: 'unreachable',
      status: 0,
      text: `no answer from ${url}.`,
      remedy: 'Start the API (keyturn dev, keyturn api) or set KEYTURN_URL; then send the same again.',
      retry: 'same',
    },
    { cause },
  );

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      signal?.removeEventListener('abort', stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    }
    signal?.addEventListener('abort', stop, { once: true });
  });
}
