import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { z } from 'zod';
import { bankApp } from './app.js';
import { Book } from './book.js';
import { Faults } from './faults.js';

const envSchema = z.object({
  BANK_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  BANK_BOOK: z.string().min(1),
  BANK_PASSWORD: z.string().regex(/^[!-~]{1,500}$/, 'expected printable ASCII without blanks'),
});
const GRACE_MS = 2_000;

/** A small bank in its own process, with its own book: the target of approved actions in the demo, the tests and the benchmarks. */
function main(): void {
  const env = envSchema.safeParse(process.env);
  if (!env.success) {
    console.error(z.prettifyError(env.error));
    process.exit(2);
  }
  const { BANK_PORT, BANK_BOOK, BANK_PASSWORD } = env.data;
  const book = new Book(BANK_BOOK);
  const listener = getRequestListener(bankApp(book, new Faults(), BANK_PASSWORD).fetch);
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));

  server.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  server.listen(BANK_PORT, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : BANK_PORT;
    process.stdout.write(`${JSON.stringify({ listening: `http://127.0.0.1:${port}`, pid: process.pid })}\n`);
  });

  const stop = (): void => {
    server.close(() => {
      book.close();
      process.exit(0);
    });
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), GRACE_MS).unref();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main();
