import { createHash, timingSafeEqual } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import type { Book } from './book.js';
import type { Faults } from './faults.js';
import { lookupOrFence, type Answer } from './once.js';
import { pay, refund } from './payments.js';
import { Refusal } from './refusal.js';
import { release, reserve, settle } from './reservations.js';
import {
  accountSchema,
  faultsSchema,
  ibanParamSchema,
  idempotencyKeySchema,
  lookupSchema,
  settlementSchema,
  transferSchema,
  undoSchema,
} from './wire.js';

type Env = { Bindings: HttpBindings };
const MAX_BODY_BYTES = 16_384;

/** The bank's HTTP face. Everything wants the password but `GET /book`, the auditor's window. */
export function bankApp(book: Book, faults: Faults, password: string): Hono<Env> {
  const app = new Hono<Env>();
  const expected = sha256(`Bearer ${password}`);

  app.onError((error, c) => {
    if (error instanceof Refusal) return c.json({ code: error.code, message: error.message }, error.status);
    console.error(error);
    return c.json({ code: 'internal', message: 'the bank failed; whether the write happened is unknown' }, 500);
  });
  app.notFound((c) => c.json({ code: 'not_found', message: 'no such operation' }, 404));

  app.get('/book', (c) => c.json(book.entries.all()));
  app.use(async (c, next) => {
    // Hashes have one length, so the comparison tells nothing about the password's.
    if (!timingSafeEqual(sha256(c.req.header('authorization') ?? ''), expected)) {
      throw new Refusal(401, 'unauthorized', 'expected Authorization: Bearer and the password');
    }
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new Refusal(413, 'too_large', `expected at most ${MAX_BODY_BYTES} bytes`);
      },
    }),
  );

  const write = <Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    operation: (book: Book, key: string, request: z.output<Schema>) => Answer,
  ): void => {
    app.post(path, async (c) => {
      const key = parse(idempotencyKeySchema, c.req.header('idempotency-key'), 'Idempotency-Key');
      const request = await bodyOf(c, schema);
      if (faults.takeFailure()) throw new Refusal(503, 'try_later', 'nothing happened; try later');
      await faults.delay();
      const { status, body } = operation(book, key, request);
      if (!faults.takeDrop()) return c.json(body, status);
      c.env.incoming.socket.destroy();
      return RESPONSE_ALREADY_SENT;
    });
  };
  write('/payments', transferSchema, pay);
  write('/refunds', undoSchema, refund);
  write('/reservations', transferSchema, reserve);
  write('/settlements', settlementSchema, settle);
  write('/releases', undoSchema, release);

  app.post('/lookups', async (c) => c.json(lookupOrFence(book, (await bodyOf(c, lookupSchema)).key)));
  app.get('/balances/:iban', (c) => c.json(balance(book, ibanOf(c))));
  app.put('/accounts/:iban', async (c) => {
    const iban = ibanOf(c);
    book.accounts.setClosed(iban, (await bodyOf(c, accountSchema)).closed);
    return c.json(balance(book, iban));
  });
  app.put('/faults', async (c) => {
    const settings = await bodyOf(c, faultsSchema);
    faults.set(settings);
    return c.json(settings);
  });
  return app;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

const balance = (book: Book, iban: string) => ({ iban, cents: book.entries.arrived(iban), closed: book.accounts.isClosed(iban) });

const ibanOf = (c: Context): string => parse(ibanParamSchema, { iban: c.req.param('iban') }, 'path').iban;

async function bodyOf<Schema extends z.ZodType>(c: Context<Env>, schema: Schema): Promise<z.output<Schema>> {
  const text = await c.req.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal(400, 'invalid', 'body: expected JSON');
  }
  return parse(schema, body, 'body');
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new Refusal(400, 'invalid', `${what}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
