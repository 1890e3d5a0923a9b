import { startExecutor } from '../../src/executor/start-executor.js';
import { paymentTypes } from './types.js';

/** The only process with the bank's password: taken from `BANK_PASSWORD`, the bank's address from `BANK_URL`. */
const password = (): string => {
  const value = process.env['BANK_PASSWORD'];
  if (value === undefined) throw new Error('BANK_PASSWORD is not set');
  return value;
};
await startExecutor({
  actions: paymentTypes(process.env['BANK_URL'] ?? 'http://127.0.0.1:7070', password),
  ...(process.env['KEYTURN_DIR'] === undefined ? {} : { dir: process.env['KEYTURN_DIR'] }),
});
