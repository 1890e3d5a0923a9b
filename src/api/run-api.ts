import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import type { Signer } from '../domain/dsse.js';
import { holderOf, type Roster } from '../domain/roster.js';
import { readKeyFile, signerFrom } from '../files/key-files.js';
import { useNativeCrypto } from '../files/native-crypto.js';
import { watchDev } from '../files/process-life.js';
import { readRoster } from '../files/rules.js';
import { secretOf } from '../files/secrets.js';
import { connect } from '../temporal/connection.js';
import { dataConverter } from '../temporal/data-converter.js';
import { startApi, type RunningApi } from './start-api.js';

export interface RunOptions {
  /** The folder with roster.yaml and .keyturn. */
  readonly dir: string;
  readonly port: number;
  readonly host?: string;
  /** Its own copy of the policy, for dry runs. */
  readonly policyFile?: string;
}

/**
 * The API of a folder: `roster.yaml`, the key in `KEYTURN_API_KEY`, or in the file `KEYTURN_API_KEY_FILE` names, or `.keyturn/keys/api.key` (none: no agent with a bearer key is served), Temporal by
 * the CLI's variables. Temporal may be away at the start. Logs warnings to stderr (`KEYTURN_LOG_LEVEL`). SIGTERM and SIGINT close it.
 * Throws `FileRefused` on a roster that cannot be used, and if the port is taken.
 */
export async function runApi({ dir, port, host, policyFile }: RunOptions): Promise<RunningApi> {
  useNativeCrypto();
  const rosterFile = join(dir, 'roster.yaml');
  const apiSigner = await apiKey(dir, await readRoster(rosterFile));
  const log = pino({ level: process.env['KEYTURN_LOG_LEVEL'] ?? 'warn' }, pino.destination({ dest: 2, sync: true }));
  const settings = connect();
  const connection = Connection.lazy(settings.connectionOptions);
  const client = new Client({ connection, namespace: settings.namespace, dataConverter });
  const running = await startApi({ client, rosterFile, policyFile, apiSigner, log, port, ...(host === undefined ? {} : { host }) }).catch(
    async (error: unknown) => {
      await connection.close();
      throw error;
    },
  );

  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    await running.close();
    await connection.close();
  };
  const close = (): Promise<void> => (closing ??= closeAll());
  function stop(): void {
    void close();
  }
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  watchDev(stop);
  return { url: running.url, close };
}

/** Throws if there is a key, but not one the roster gives to the API: the executor would refuse everything it vouches for. */
async function apiKey(dir: string, roster: Roster): Promise<Signer | undefined> {
  const given = secretOf('KEYTURN_API_KEY');
  const file = join(dir, '.keyturn', 'keys', 'api.key');
  if (given === undefined && !existsSync(file)) return undefined;
  const signer = given === undefined ? await readKeyFile(file) : signerFrom(given.text, given.from);
  if (holderOf(roster, signer.key.id)?.kind === 'api') return signer;
  throw new Error(
    `roster.yaml does not give the key in ${given === undefined ? file : given.from} to the API. Add it: api: { key: '${signer.key.text}' }`,
  );
}
