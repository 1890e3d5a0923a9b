import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** What a statement is answered with: rows of texts under columns with their types' oids, and what the server says it did; an error; or no more at all. */
export type Reply =
  | {
      readonly columns?: readonly (readonly [name: string, oid: number])[];
      readonly rows?: readonly (readonly (string | null)[])[];
      readonly tag: string;
    }
  | { readonly error: string }
  | 'cut';

const int16 = (n: number): Buffer => Buffer.from([n >> 8, n & 0xff]);
const int32 = (n: number): Buffer => Buffer.from([n >> 24, (n >> 16) & 0xff, (n >> 8) & 0xff, n & 0xff]);
const text = (words: string): Buffer => Buffer.from(`${words}\0`);
const message = (type: string, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
};
const READY = message('Z', Buffer.from('I'));

function answerOf(reply: Exclude<Reply, 'cut'>, prepared: boolean): Buffer {
  if ('error' in reply) return message('E', text('SERROR'), text('CXX000'), text(`M${reply.error}`), Buffer.from([0]));
  const { columns = [], rows = [], tag } = reply;
  const described = columns.map(([name, oid]) =>
    Buffer.concat([text(name), int32(0), int16(0), int32(oid), int16(-1), int32(-1), int16(0)]),
  );
  const values = rows.map((row) => {
    const cells = row.map((cell) => (cell === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(cell)), Buffer.from(cell)])));
    return message('D', int16(row.length), ...cells);
  });
  return Buffer.concat([
    ...(prepared ? [message('1'), message('2')] : []),
    ...(columns.length > 0 ? [message('T', int16(columns.length), ...described)] : prepared ? [message('n')] : []),
    ...values,
    message('C', text(tag)),
  ]);
}

/** PostgreSQL's side of its own protocol, so that a test sees every statement a client sends, and answers as a server never would. It holds no data. */
export class PostgresWire {
  /** `1: BEGIN`: each statement by the number of its connection, with its values behind. */
  readonly asked: string[] = [];
  /** Statements nobody answers specially are done, and say `OK`. */
  answer: (statement: string) => Reply | undefined = () => undefined;
  private readonly sockets = new Set<Socket>();
  private connections = 0;
  private constructor(private readonly server: Server) {}

  static async start(): Promise<PostgresWire> {
    const server = createServer();
    const wire = new PostgresWire(server);
    server.on('connection', (socket) => wire.serve(socket, ++wire.connections));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return wire;
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `postgres://keyturn@127.0.0.1:${address.port}/ledger`;
  }
  /** Connections open now. */
  get open(): number {
    return this.sockets.size;
  }
  /** All connections end, as when the server dies. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }
  async close(): Promise<void> {
    this.cut();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }

  private serve(socket: Socket, number: number): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined);
    let [buffer, isGreeted, statement] = [Buffer.alloc(0), false, ''];
    const say = (reply: Reply, prepared: boolean): void => {
      if (reply === 'cut') socket.destroy();
      else socket.write(answerOf(reply, prepared));
    };
    const heard = (asked: string, prepared: boolean): void => {
      this.asked.push(`${number}: ${asked}`);
      say(this.answer(asked) ?? { tag: 'OK' }, prepared);
    };
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      for (;;) {
        const head = isGreeted ? 1 : 0;
        if (buffer.length < head + 4) return;
        const end = head + buffer.readInt32BE(head);
        if (buffer.length < end) return;
        const [type, body] = [isGreeted ? String.fromCharCode(buffer[0] ?? 0) : '', buffer.subarray(head + 4, end)];
        buffer = buffer.subarray(end);
        if (!isGreeted) {
          isGreeted = true;
          socket.write(Buffer.concat([message('R', int32(0)), READY]));
        } else if (type === 'Q') {
          heard(body.toString().slice(0, -1), false);
          socket.write(READY);
        } else if (type === 'P') {
          statement = body.toString().split('\0')[1] ?? '';
        } else if (type === 'B') {
          statement += ` <- ${valuesIn(body).join(', ')}`;
        } else if (type === 'E') {
          heard(statement, true);
        } else if (type === 'S') {
          socket.write(READY);
        }
      }
    });
  }
}

/** Of a Bind message: after two names and the formats, the values. */
function valuesIn(body: Buffer): string[] {
  let at = body.indexOf(0, body.indexOf(0) + 1) + 1;
  const take = (bytes: number): Buffer => body.subarray(at, (at += bytes));
  take(2 * take(2).readInt16BE());
  return Array.from({ length: take(2).readInt16BE() }, () => {
    const length = take(4).readInt32BE();
    return length < 0 ? 'null' : take(length).toString();
  });
}
