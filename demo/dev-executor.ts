import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The demo's executor for `npm run dev`: reads the bank's password from a file of its owner alone, so that no other process is handed it. */
const dir = process.env['KEYTURN_DIR'] ?? '.';
const bank = JSON.parse(await readFile(join(dir, '.keyturn', 'bank.json'), 'utf8')) as { url: string; password: string };
process.env['BANK_URL'] = bank.url;
process.env['BANK_PASSWORD'] = bank.password;
await import('../examples/payments/executor.js');
