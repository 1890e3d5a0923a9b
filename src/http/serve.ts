import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { refuse } from '../domain/codes.js';
import { nameOfAddress } from './buckets.js';
import { problemResponse, Refused } from './problem.js';

export interface ServeOptions {
  /** 0: a free one. */
  readonly port: number;
  readonly host: string;
  /** `from` names the address of the connection, never what a header says of it. */
  readonly fetch: (request: Request, from: string) => Response | Promise<Response>;
  readonly server: Pick<
    ServerOptions,
    'keepAliveTimeout' | 'requestTimeout' | 'headersTimeout' | 'connectionsCheckingInterval' | 'maxHeaderSize'
  >;
  /** Connections at once: in all, and from one address. Left out: no bound. */
  readonly connections?: { readonly all: number; readonly perAddress: number };
  /** Called once nothing new is taken: ends what waits, so that answers get out. */
  readonly ending?: () => void;
}

export interface RunningServer {
  readonly url: string;
  /** Lets the answers out, then stops listening. May be called again. */
  close(): Promise<void>;
}

const GRACE_MS = 5_000;

/** Listens. Prints nothing. Rejects if the port is taken. */
export async function serve({ port, host, fetch, server: options, connections, ending }: ServeOptions): Promise<RunningServer> {
  const listener = getRequestListener((request, env) => fetch(request, nameOfAddress(remoteOf(env))), {
    overrideGlobalObjects: false,
    errorHandler: unreadable,
  });
  const server = createServer(options, (incoming, outgoing) => void listener(incoming, outgoing));
  if (connections !== undefined) {
    server.maxConnections = connections.all;
    server.on('connection', boundedPerAddress(connections.perAddress));
  }
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    ending?.();
    // A connection becomes idle when its answer is out; nobody would close it before its keep-alive ends.
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    const force = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(force);
  };
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, close: () => (closing ??= close()) };
}

function remoteOf(env: unknown): string | undefined {
  const { incoming } = env as { readonly incoming?: { readonly socket?: Socket } };
  return incoming?.socket?.remoteAddress;
}

/** Whoever holds many connections open holds none of the others out. */
function boundedPerAddress(most: number): (socket: Socket) => void {
  const open = new Map<string, number>();
  return (socket) => {
    const from = nameOfAddress(socket.remoteAddress);
    const count = (open.get(from) ?? 0) + 1;
    if (count > most) {
      socket.destroy();
      return;
    }
    open.set(from, count);
    socket.once('close', () => {
      const left = (open.get(from) ?? 1) - 1;
      if (left === 0) open.delete(from);
      else open.set(from, left);
    });
  };
}

/** A request line or Host header that is none: it never became a request of ours. */
const unreadable = (): Response =>
  problemResponse(new Refused(refuse('request_invalid', 'this is no request this server can read')), randomUUID());
