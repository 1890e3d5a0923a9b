import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect, openClient, openNativeConnection, type ConnectSettings } from '../../src/temporal/connection.js';
import { testServer, type TestServer } from '../helpers/temporal.js';
import { Authority, tlsDoor, type Certificate, type TlsDoor } from '../helpers/tls-door.js';

const PROFILES = join(import.meta.dirname, '../../deploy/temporal-cloud/temporal.toml');
const API_KEY = 'a-key-of-the-tests';

/** Both ways in that the parts use: the client's, and the worker's native one. */
async function reach(settings: ConnectSettings): Promise<void> {
  const quick = { ...settings, connectionOptions: { ...settings.connectionOptions, connectTimeout: 3_000 } };
  const { connection, client } = await openClient(quick);
  try {
    await client.workflowService.describeNamespace({ namespace: settings.namespace });
  } finally {
    await connection.close();
  }
  const native = await openNativeConnection(quick);
  try {
    await native.workflowService.describeNamespace({ namespace: settings.namespace });
  } finally {
    await native.close();
  }
}

describe('the profiles for Temporal Cloud, before a real server behind a front that asks as the Cloud does', () => {
  let dir: string;
  let server: TestServer;
  let authority: Authority;
  let byKey: TlsDoor;
  let byCertificate: TlsDoor;
  let client: Certificate;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'keyturn-tls-'));
    [server, authority] = await Promise.all([testServer(), Authority.make(dir, 'authority')]);
    client = await authority.issue('client');
    const front = await authority.issue('front');
    byKey = await tlsDoor(server.address, front, { apiKey: API_KEY });
    byCertificate = await tlsDoor(server.address, front, { clients: authority });
  });
  afterAll(async () => {
    await byKey.close();
    await byCertificate.close();
    await server.stop();
    await rm(dir, { recursive: true });
  });

  /** The shipped file, with this test's addresses in place of the Cloud's, and its authority in place of the public ones. */
  async function settings(profile: string, door: TlsDoor, files: Certificate, env: NodeJS.ProcessEnv = {}): Promise<ConnectSettings> {
    const shipped = await readFile(PROFILES, 'utf8');
    const here = shipped
      .replaceAll('keyturn-prod.a1b2c.tmprl.cloud:7233', door.address)
      .replaceAll('keyturn-prod.a1b2c', server.settings.namespace)
      .replace('/run/secrets/temporal-client.pem', files.cert)
      .replace('/run/secrets/temporal-client.key', files.key);
    const file = join(dir, `${profile}.toml`);
    await writeFile(file, here);
    const trust = { TEMPORAL_TLS_SERVER_CA_CERT_PATH: authority.own.cert, TEMPORAL_TLS_SERVER_NAME: 'localhost' };
    return connect({ TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: profile, ...trust, ...env });
  }

  test('by API key: each call of client and worker carries it over TLS; a wrong one or none is turned away', async () => {
    const before = byKey.passed();
    await reach(await settings('cloud-api-key', byKey, client, { TEMPORAL_API_KEY: API_KEY }));
    expect(byKey.passed()).toBeGreaterThan(before + 2);
    const after = byKey.passed();
    await expect(reach(await settings('cloud-api-key', byKey, client, { TEMPORAL_API_KEY: 'another' }))).rejects.toThrow();
    await expect(reach(await settings('cloud-api-key', byKey, client))).rejects.toThrow();
    expect(byKey.passed()).toBe(after);
  });

  test('by mTLS: the certificate of the profile is shown; none, or one of another authority, is turned away', async () => {
    const before = byCertificate.passed();
    await reach(await settings('cloud-mtls', byCertificate, client));
    expect(byCertificate.passed()).toBeGreaterThan(before + 2);
    const after = byCertificate.passed();
    const stranger = await (await Authority.make(dir, 'stranger')).issue('client');
    await expect(reach(await settings('cloud-mtls', byCertificate, stranger))).rejects.toThrow();
    await expect(reach(await settings('cloud-api-key', byCertificate, client))).rejects.toThrow();
    expect(byCertificate.passed()).toBe(after);
  });

  test('a server whose certificate is of another authority is not talked to: no key is sent there', async () => {
    const impostor = await Authority.make(dir, 'impostor');
    const door = await tlsDoor(server.address, await impostor.issue('front'), { apiKey: API_KEY });
    try {
      await expect(reach(await settings('cloud-api-key', door, client, { TEMPORAL_API_KEY: API_KEY }))).rejects.toThrow();
      expect(door.passed()).toBe(0);
    } finally {
      await door.close();
    }
  });
});

describe('what would connect less safely than it says is refused', () => {
  const home = { HOME: '/nonexistent' };

  test('nothing set: the server of this machine', () => {
    expect(connect(home)).toEqual({ connectionOptions: expect.objectContaining({ address: '127.0.0.1:7233' }), namespace: 'default' });
  });

  test('a configuration file that is not there', () => {
    expect(() => connect({ ...home, TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' })).toThrow('is not there');
  });

  test('a profile that is not in the file', () => {
    expect(() => connect({ ...home, TEMPORAL_CONFIG_FILE: PROFILES, TEMPORAL_PROFILE: 'cloud' })).toThrow("'cloud' not found");
  });

  test('half of a client certificate', () => {
    expect(() => connect({ ...home, TEMPORAL_TLS_CLIENT_CERT_PATH: '/run/c.pem' })).toThrow('without its key');
    expect(() => connect({ ...home, TEMPORAL_TLS_CLIENT_KEY_PATH: '/run/c.key' })).toThrow('without its certificate');
  });

  test('an API key without TLS, but to this machine', () => {
    const env = { ...home, TEMPORAL_API_KEY: API_KEY, TEMPORAL_TLS: 'false' };
    expect(() => connect({ ...env, TEMPORAL_ADDRESS: 'temporal.example:7233' })).toThrow('in clear');
    expect(() => connect({ ...env, TEMPORAL_ADDRESS: '127.0.0.1.example:7233' })).toThrow('in clear');
    expect(connect({ ...env, TEMPORAL_ADDRESS: '127.0.0.1:7233' }).connectionOptions).toMatchObject({ apiKey: API_KEY, tls: false });
  });
});
