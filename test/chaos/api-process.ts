import { runApi } from '../../src/api/run-api.js';

/** The API in its own process: `KEYTURN_DIR` holds its roster, `TEMPORAL_ADDRESS` its server. */
const { url } = await runApi({ dir: process.env['KEYTURN_DIR'] ?? '.', port: 0 });
console.log(JSON.stringify({ keyturn: 'api', pid: process.pid, url }));
