import { Client, Connection } from '@temporalio/client';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
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
 * server does not listen. Opens nothing; throws if the configuration file or profile cannot be read.
 */
export function connect(): ConnectSettings {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return {
    connectionOptions: { ...connectionOptions, address: connectionOptions.address ?? DEFAULT_ADDRESS },
    namespace: namespace ?? DEFAULT_NAMESPACE,
  };
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
