import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { freePort } from '../src/temporal/free-port.js';
import { packageRoot } from '../src/temporal/paths.js';
import { initLedger } from '../src/executor/ledger/ledger.js';
import { openSqlite } from '../src/executor/ledger/sqlite.js';
import { DEPLOYMENT, makeFolder } from './people.js';

/** `npm run dev`: the demo's bank and action types, everything running in this terminal, for you to propose, show and approve. Kept in .keyturn/dev. */
const dir = resolve('.keyturn', 'dev');
const bankFile = join(dir, '.keyturn', 'bank.json');
if (!existsSync(join(dir, 'roster.yaml'))) {
  await makeFolder(dir, 'http://127.0.0.1:7878');
  const ledger = openSqlite(join(dir, '.keyturn', 'ledger.db'), { create: true });
  await initLedger(ledger, DEPLOYMENT);
  await ledger.close();
  const port = await freePort();
  await writeFile(bankFile, JSON.stringify({ url: `http://127.0.0.1:${port}`, port, password: randomBytes(16).toString('hex') }), {
    mode: 0o600,
  });
}
const bank = JSON.parse(await readFile(bankFile, 'utf8')) as { url: string; port: number; password: string };
const service = spawn(process.execPath, [join(packageRoot, 'dist/examples/bank/service.js')], {
  env: { ...process.env, BANK_PORT: String(bank.port), BANK_BOOK: join(dir, 'bank.db'), BANK_PASSWORD: bank.password },
  stdio: ['ignore', 'pipe', 'inherit'],
});
await once(service.stdout, 'data');
console.log(`  bank      pid ${service.pid ?? 0}  ${bank.url}/book`);

const cli = join(packageRoot, 'dist/src/cli/main.js');
const dev = spawn(process.execPath, [cli, 'dev', '--dir', dir, '--', process.execPath, join(packageRoot, 'dist/demo/dev-executor.js')], {
  stdio: 'inherit',
});
// Ctrl-C reaches the whole foreground group: `dev` ends its parts in order, and this waits for it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => dev.kill('SIGTERM'));
console.log(
  `  Then, in ${dir.replace(`${process.cwd()}/`, '')}:  npx keyturn propose payments.transfer /vendor=ACME /iban=DE89370400440532013000 /cents=480000 --reason "Invoice 1" --key invoice-1`,
);
const [code] = (await once(dev, 'exit')) as [number | null];
service.kill('SIGTERM');
process.exitCode = code ?? 0;
