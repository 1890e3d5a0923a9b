import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initLedger, openLedger } from '../../src/executor/ledger/ledger.js';
import { openPostgres } from '../../src/executor/ledger/postgres.js';
import { liveRules } from '../../src/executor/live-rules.js';
import { startPostgres, type TestPostgres } from '../helpers/postgres.js';
import { DEPLOYMENT, policyText, rosterText } from '../helpers/rules-fixture.js';
import { EXECUTOR } from '../helpers/signers.js';

describe('several executors on one PostgreSQL ledger, each with its own copy of the rules', () => {
  let server: TestPostgres;
  let dir: string;
  beforeAll(async () => {
    server = await startPostgres();
    dir = await mkdtemp(join(tmpdir(), 'keyturn-rules-'));
  });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  async function copyOf(name: string, version: number): Promise<{ roster: string; policy: string }> {
    const files = { roster: join(dir, `${name}-roster.yaml`), policy: join(dir, `${name}-policy.yaml`) };
    await writeFile(files.roster, rosterText());
    await writeFile(files.policy, policyText({ version }));
    return files;
  }

  test('attack 47: rules that ran are refused from the moment another executor has seen newer ones', async () => {
    const address = await server.createDatabase();
    const [mine, other] = await Promise.all([openPostgres(address), openPostgres(address)]);
    try {
      await initLedger(mine, DEPLOYMENT);
      const open = async (database: typeof mine, name: string, version: number) =>
        liveRules(await openLedger(database, DEPLOYMENT, EXECUTOR), await copyOf(name, version), EXECUTOR.key.id);
      const old = await open(mine, 'old', 1);
      expect([(await old()).ok, (await old()).ok]).toEqual([true, true]);
      const newer = await open(other, 'newer', 2);
      expect((await newer()).ok).toBe(true);
      expect(await old()).toMatchObject({ ok: false, text: expect.stringContaining('policy version 1 is older than version 2') });
      expect((await newer()).ok).toBe(true);
    } finally {
      await mine.close();
      await other.close();
    }
  });
});
