import { Keyturn } from '../src/client/index.js';
import { KeyturnError } from '../src/client/errors.js';

/** An agent that waits for its action, with the executors' keys in its environment: prints the status it believes, or why it believes none. */
const seen = await new Keyturn().wait(process.argv[2] ?? '', { timeoutMs: 5_000 }).then(
  ({ status }): string => status,
  (error: unknown) => (error instanceof KeyturnError ? error.code : String(error)),
);
process.stdout.write(seen);
