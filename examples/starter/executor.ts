import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'; // this bank is a toy in a file: put yours in its place
import { defineAction, NotStarted, startExecutor } from 'keyturn/executor';
import { z } from 'zod';
const FILE = `${import.meta.dirname}/.keyturn/bank.json`;
const book = () => (existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {}) as Record<string, string | undefined>;
function put(key: string, line: string) {
  writeFileSync(`${FILE}.new`, JSON.stringify({ ...book(), [key]: line }, null, 2));
  renameSync(`${FILE}.new`, FILE); // all of it or nothing, whenever this process dies
  return line;
}
const transfer = defineAction({
  name: 'payments.transfer',
  params: z.strictObject({ vendor: z.string(), iban: z.string(), cents: z.int().positive() }),
  summarize: (p) => `Pay ${p.vendor} EUR ${(p.cents / 100).toFixed(2)} to ${p.iban}`,
  preview: (p) => ({ changes: [{ what: `balance of ${p.iban}`, to: `+${p.cents} cents` }], touches: [p.iban] }),
  run: (p, { idempotencyKey: key }) => {
    if (book()[key] === 'fenced') throw new NotStarted('fenced');
    return book()[key] ?? put(key, `${p.cents} cents to ${p.iban}`); // one key, one payment
  },
  undo: (_p, { undoes }) => put(undoes, (book()[undoes] ?? 'fenced').replace(/^(?!refunded|fenced)/, 'refunded ')),
  probe: ({ idempotencyKey: key }) =>
    (book()[key] ?? put(key, 'fenced')) === 'fenced' ? { outcome: 'fenced' } : { outcome: 'done', result: book()[key] }, // after a crash
  editable: ['/cents'],
});
await startExecutor({ actions: [transfer] }); // the only process with the bank's credentials
