import { existsSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { type ClientConfigProfile, type ClientConnectConfig, loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import type { NativeConnection } from '@temporalio/worker';
import { dataConverter } from './data-converter.js';

const DEFAULT_ADDRESS = '127.0.0.1:7233';
const DEFAULT_NAMESPACE = 'default';

export interface ConnectSettings {
  connectionOptions: ClientConnectConfig['connectionOptions'];
  namespace: string;
}

/**
 * Where and how to reach Temporal, from the CLI's own variables and profiles (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
 * `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`, `TEMPORAL_PROFILE`, `TEMPORAL_CONFIG_FILE`): so Cloud keys and mTLS need nothing of ours.
 * Without any: 127.0.0.1:7233, namespace `default`. The address is written out because `localhost` may mean ::1, where the dev
 * server does not listen. Opens nothing; throws if the configuration file or profile cannot be read, or would connect less safely than it says.
 */
export function connect(env: NodeJS.ProcessEnv = process.env): ConnectSettings {
  const file = env['TEMPORAL_CONFIG_FILE'];
  if (file !== undefined && !existsSync(file))
    throw new Error(`TEMPORAL_CONFIG_FILE names ${file}, which is not there. Without it this would connect elsewhere, in clear.`);
  const set = Object.entries(env).filter((each): each is [string, string] => each[1] !== undefined);
  const profile = loadClientConfigProfile({ overrideEnvVars: Object.fromEntries(set) });
  const address = profile.address ?? DEFAULT_ADDRESS;
  refuseHalfTls(profile, address);
  const { connectionOptions, namespace } = toClientOptions(profile);
  return { connectionOptions: { ...connectionOptions, address }, namespace: namespace ?? DEFAULT_NAMESPACE };
}

/** Both are taken in silence by the library: the one as no client certificate at all, the other as a key for everybody on the way. */
function refuseHalfTls({ apiKey, tls }: ClientConfigProfile, address: string): void {
  if ((tls?.clientCert === undefined) !== (tls?.clientKey === undefined))
    throw new Error('Temporal: a client certificate without its key, or a key without its certificate. Name both.');
  if (apiKey !== undefined && tls?.disabled === true && !/^(?:127\.0\.0\.1|localhost|\[::1\]):/.test(address))
    throw new Error(
      `Temporal: TLS is switched off, so the API key would cross the network to ${address} in clear. Remove TEMPORAL_TLS=false.`,
    );
}

/** A client over its own connection; close `connection` at the end. Throws if the server does not answer within 10 s. */
export async function openClient(settings: ConnectSettings = connect()): Promise<{ connection: Connection; client: Client }> {
  const connection = await Connection.connect(settings.connectionOptions);
  return { connection, client: new Client({ connection, namespace: settings.namespace, dataConverter }) };
}

/** The worker's connection (`new Client` takes it too). Close it after the workers. */
export async function openNativeConnection(settings: ConnectSettings = connect()): Promise<NativeConnection> {
  // Loaded here, not above: clients and the command line should not pay for the native core.
  const { NativeConnection } = await import('@temporalio/worker');
  return NativeConnection.connect(settings.connectionOptions);
}
