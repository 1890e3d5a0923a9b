import { existsSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineAction } from '../../src/executor/define-action.js';
import { startExecutor } from '../../src/executor/start-executor.js';

/** An executor as it is delivered, in its own process. Its target is a file, a line an effect; `RELEASE` is the version of one of its types. */
const dir = process.env['KEYTURN_DIR'] ?? '.';
const release = process.env['RELEASE'] ?? '1';
const book = join(dir, 'target.jsonl');
const lines = async (): Promise<string[]> => (existsSync(book) ? (await readFile(book, 'utf8')).trimEnd().split('\n') : []);

const payment = (name: string, version: string) =>
  defineAction({
    name,
    version,
    params: z.strictObject({ vendor: z.string(), cents: z.int().positive() }),
    summarize: ({ vendor, cents }) => `Pay ${vendor} EUR ${(cents / 100).toFixed(2)}`,
    preview: ({ vendor }) => ({ changes: [{ what: `balance of ${vendor}`, to: 'more' }], touches: [vendor] }),
    precondition: 'none',
    run: async (_params, { idempotencyKey }) => {
      const line = `${idempotencyKey} by ${version} of release ${release}`;
      if (!(await lines()).some((each) => each.startsWith(`${idempotencyKey} `))) await appendFile(book, `${line}\n`);
      return line;
    },
    undo: 'impossible',
    probe: async ({ idempotencyKey }) => {
      const found = (await lines()).find((each) => each.startsWith(`${idempotencyKey} `));
      return found === undefined ? { outcome: 'unknown' } : { outcome: 'done', result: found };
    },
  });

await startExecutor({ actions: [payment('payments.transfer', release), payment('payments.kept', '1')], dir });
