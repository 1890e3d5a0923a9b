import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { refuse } from '../domain/codes.js';
import { createApi, type ApiOptions } from './create-api.js';
import { problemResponse, Refused } from './problem.js';

export interface StartOptions extends ApiOptions {
  /** 0: a free one. */
  readonly port: number;
  /** Left out: 127.0.0.1. TLS is the business of what stands in front of it. */
  readonly host?: string;
}

export interface RunningApi {
  readonly url: string;
  /** Ends waits and streams, lets the other answers out, then stops listening. May be called again. Closes no Temporal connection. */
  close(): Promise<void>;
}

const GRACE_MS = 5_000;

/** Listens. Prints nothing. Rejects if the port is taken. */
export async function startApi({ port, host = '127.0.0.1', ...options }: StartOptions): Promise<RunningApi> {
  const api = createApi(options);
  const listener = getRequestListener(api.fetch, { overrideGlobalObjects: false, errorHandler: unreadable });
  const server = createServer(
    { keepAliveTimeout: 5_000, requestTimeout: 30_000 },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    api.end();
    // A connection becomes idle when its answer is out; nobody would close it before its keep-alive ends.
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    const force = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(force);
  };
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, close: () => (closing ??= close()) };
}

/** A request line or Host header that is none: it never became a request of ours. */
const unreadable = (): Response =>
  problemResponse(new Refused(refuse('request_invalid', 'this is no request this API can read')), randomUUID());
