// executor.ts: the only process with the bank's credentials. This toy bank is a file: put your own in its place.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { defineAction, NotStarted, startExecutor } from 'keyturn/executor';
import { z } from 'zod';

type Row = 'fenced' | { iban: string; cents: number; refunded?: true };
const file = new URL('.keyturn/bank.json', import.meta.url).pathname;
const book = () => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as Record<string, Row | undefined>;
const write = (key: string, row: Row): Row => {
  writeFileSync(`${file}.new`, JSON.stringify({ ...book(), [key]: row }, null, 2));
  renameSync(`${file}.new`, file); // all of it or nothing, whenever this process dies
  return row;
};
const pay = (key: string, row: Row): Row => {
  if (book()[key] === 'fenced') throw new NotStarted('fenced');
  return book()[key] ?? write(key, row); // one key, one payment
};
const refund = (key: string): Row => {
  const row = book()[key] ?? 'fenced';
  return write(key, row === 'fenced' ? row : { ...row, refunded: true });
};
const transfer = defineAction({
  name: 'payments.transfer',
  params: z.strictObject({ vendor: z.string(), iban: z.string(), cents: z.int().positive() }),
  summarize: (p) => `Pay ${p.vendor} EUR ${(p.cents / 100).toFixed(2)} to ${p.iban}`,
  preview: (p) => ({ changes: [{ what: `balance of ${p.iban}`, to: `+${p.cents} cents` }], touches: [p.iban] }),
  run: ({ iban, cents }, { idempotencyKey }) => pay(idempotencyKey, { iban, cents }),
  undo: (_p, { undoes }) => refund(undoes),
  probe: ({ idempotencyKey: key }) => {
    const result = book()[key] ?? write(key, 'fenced');
    return result === 'fenced' ? { outcome: 'fenced' } : { outcome: 'done', result };
  },
  editable: ['/cents'],
});
await startExecutor({ actions: [transfer] });
