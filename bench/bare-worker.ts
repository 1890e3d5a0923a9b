import { appendFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { activityInfo } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Bank } from '../examples/bank/client.js';

/**
 * One process with workflow and activities, as a plain Temporal program has them; or, by BARE_ROLE, with only the `workflow` or only the `activities`.
 * Polls BARE_QUEUE. Ends with its parent's SIGTERM.
 */
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: ['SIGTERM', 'SIGINT'] });
const connection = await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
const bank = new Bank(process.env['BANK_URL'] ?? '', process.env['BANK_PASSWORD'] ?? '');
const IBAN = 'DE89370400440532013000';
const activities = {
  prepare: async (vendor: string) => {
    const { cents } = await bank.balance(IBAN);
    await appendFile(process.env['BARE_NOTICES'] ?? '', `${JSON.stringify({ event: 'asked', actionId: vendor })}\n`);
    return String(cents);
  },
  pay: async (vendor: string) =>
    (await bank.pay({ vendor, iban: IBAN, cents: 100 }, `${activityInfo().workflowExecution?.workflowId ?? ''}/pay`)).id,
};
const role = process.env['BARE_ROLE'];
const worker = await Worker.create({
  connection,
  taskQueue: process.env['BARE_QUEUE'] ?? 'bare',
  ...(process.env['BARE_CACHED'] === undefined ? {} : { maxCachedWorkflows: Number(process.env['BARE_CACHED']) }),
  ...(role === 'activities' ? {} : { workflowsPath: fileURLToPath(new URL('./bare-workflow.js', import.meta.url)) }),
  ...(role === 'workflow' ? {} : { activities }),
});
console.log(JSON.stringify({ ready: true, pid: process.pid }));
await worker.run();
await connection.close();
