import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createSecureServer, type Http2SecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of the test's own, made by openssl in `dir`. */
export class Authority {
  private constructor(
    private readonly dir: string,
    private readonly name: string,
    readonly own: Certificate,
  ) {}

  static async make(dir: string, name: string): Promise<Authority> {
    const own = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
    await run('openssl', [...NEW_KEY, '-x509', '-days', '2', '-subj', `/CN=${name}`, '-keyout', own.key, '-out', own.cert]);
    return new Authority(dir, name, own);
  }

  /** A certificate for 127.0.0.1 and localhost, fit for either side. */
  async issue(name: string): Promise<Certificate> {
    const [cert, key, request, extensions] = ['pem', 'key', 'csr', 'ext'].map((end) => join(this.dir, `${this.name}-${name}.${end}`)) as [
      string,
      string,
      string,
      string,
    ];
    await writeFile(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
    await run('openssl', [...NEW_KEY, '-subj', `/CN=${name}`, '-keyout', key, '-out', request]);
    const signing = ['-CA', this.own.cert, '-CAkey', this.own.key, '-CAcreateserial', '-days', '2', '-extfile', extensions];
    await run('openssl', ['x509', '-req', '-in', request, ...signing, '-out', cert]);
    return { cert, key };
  }
}

const NEW_KEY = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export interface TlsDoor {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Calls let through to the server behind it. */
  readonly passed: () => number;
  close(): Promise<void>;
}

/**
 * Stands before a Temporal server as Temporal Cloud's front does: TLS, and either a client certificate of `clients` or `Authorization: Bearer <apiKey>` on
 * every call. A simulation of that front; the server behind it is a real one.
 */
export async function tlsDoor(
  target: string,
  server: Certificate,
  demand: { readonly clients: Authority } | { readonly apiKey: string },
): Promise<TlsDoor> {
  const behind = connect(`http://${target}`);
  let passed = 0;
  const door = createSecureServer({
    cert: await readFile(server.cert),
    key: await readFile(server.key),
    ...('clients' in demand ? { requestCert: true, rejectUnauthorized: true, ca: await readFile(demand.clients.own.cert) } : {}),
  });
  door.on('stream', (stream, headers) => {
    if ('apiKey' in demand && headers.authorization !== `Bearer ${demand.apiKey}`) {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16', 'grpc-message': 'no valid key' },
        { endStream: true },
      );
      return;
    }
    passed += 1;
    forward(stream, behind.request({ ...headers, ':authority': target, ':scheme': 'http' }));
  });
  const sessions = new Set<{ destroy(): void }>();
  door.on('session', (session) => sessions.add(session));
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  return {
    address: `127.0.0.1:${String(portOf(door))}`,
    passed: () => passed,
    async close() {
      const closed = once(door, 'close');
      door.close();
      for (const session of sessions) session.destroy();
      behind.destroy();
      await closed;
    },
  };
}

function portOf(door: Http2SecureServer): number {
  const address = door.address();
  if (typeof address !== 'object' || address === null) throw new Error('the door is not open');
  return address.port;
}

/** gRPC puts its status into trailers, or into the only headers there are. */
function forward(stream: ServerHttp2Stream, call: ReturnType<ReturnType<typeof connect>['request']>): void {
  let trailers: IncomingHttpHeaders = {};
  call.on('response', (headers) => {
    if (stream.destroyed) return;
    if (headers['grpc-status'] !== undefined) stream.respond(headers, { endStream: true });
    else stream.respond(headers, { waitForTrailers: true });
  });
  call.on('trailers', (given: IncomingHttpHeaders) => (trailers = given));
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  // A side that goes away takes the other with it: the client sees a broken call, as from any front.
  stream.on('error', () => call.close());
  call.on('error', () => stream.close());
  stream.on('close', () => call.close());
  stream.pipe(call);
  call.pipe(stream);
}
