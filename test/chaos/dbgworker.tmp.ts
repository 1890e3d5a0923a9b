import { Runtime } from '@temporalio/worker';
const orig = Runtime.install.bind(Runtime);
(Runtime as any).install = (o: any) => orig({ ...o, telemetryOptions: { logging: { filter: 'temporalio_sdk_core=DEBUG' } } });
await import('./workflow-worker.js');
