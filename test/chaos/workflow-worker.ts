import { join } from 'node:path';
import { untilStopped, watchDev } from '../../src/files/process-life.js';
import { startWorker } from '../../src/worker.js';

/** The workflow worker in its own process: `KEYTURN_DIR` holds its roster, `TEMPORAL_ADDRESS` its server, `WORKFLOW_BUNDLE` other workflow code. */
const dir = process.env['KEYTURN_DIR'] ?? '.';
const codePath = process.env['WORKFLOW_BUNDLE'];
const worker = await startWorker(
  { role: 'workflow', roster: join(dir, 'roster.yaml'), ...(codePath === undefined ? {} : { bundle: { codePath } }) },
  () => undefined,
);
watchDev(() => void worker.stop());
console.log(JSON.stringify({ keyturn: 'worker', pid: process.pid }));
await untilStopped(worker);
