import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, Connection } from '@temporalio/client';
import { type ConnectSettings, openClient } from '../../src/temporal/connection.js';
import { startDevServer } from '../../src/temporal/dev-server.js';

export interface TestServer {
  /** `127.0.0.1:port` of gRPC. Tests share the server: give every test its own task queue and workflow ids. */
  address: string;
  settings: ConnectSettings;
  connection: Connection;
  /** With the project's data converter. */
  client: Client;
  /** Closes the client, and the server if this file started it. Stop workers first. */
  stop: () => Promise<void>;
}

async function atTheDoor(door: string): Promise<string> {
  const response = await fetch(door);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

async function ownServer(): Promise<{ address: string; end: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-test-'));
  const server = await startDevServer({ dbFilename: join(folder, 'temporal.db') });
  const end = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { address: server.address, end };
}

/**
 * A Temporal server for the integration tests of one file: the one at `TEMPORAL_TEST_ADDRESS`, else the run's shared one (see
 * `global-setup.ts`), else one of its own. The first call of a run takes some two seconds.
 */
export async function testServer(): Promise<TestServer> {
  const given = process.env['TEMPORAL_TEST_ADDRESS'];
  const door = process.env['KEYTURN_TEST_DOOR'];
  const shared = given ?? (door === undefined ? undefined : await atTheDoor(door));
  const { address, end } = shared === undefined ? await ownServer() : { address: shared, end: () => Promise.resolve() };
  const settings = { connectionOptions: { address }, namespace: 'default' };
  const { connection, client } = await openClient(settings);
  const stop = async (): Promise<void> => {
    await connection.close();
    await end();
  };
  return { address, settings, connection, client, stop };
}
