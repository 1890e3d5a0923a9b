import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { initLedger } from '../../src/executor/ledger/ledger.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { Child } from '../chaos/child.js';
import { privateKeyOf } from '../cli/folder.js';
import type { Rig } from '../helpers/rig.js';
import { DEPLOYMENT, policyText, rosterText } from '../helpers/rules-fixture.js';

/** Worker and executor each in a process of their own, of the release that is asked for; all else is the rig's. */
export async function processesOf(rig: Rig) {
  const dir = join(rig.dir, 'gate');
  const roster = { runs: ['payments.transfer', 'payments.kept'] };
  await mkdir(join(dir, '.keyturn'), { recursive: true });
  await writeFile(join(dir, 'roster.yaml'), rosterText(roster));
  await writeFile(join(dir, 'policy.yaml'), policyText());
  const database = openSqlite(join(dir, '.keyturn', 'ledger.db'), { create: true });
  await initLedger(database, DEPLOYMENT);
  await database.close();
  const { address: TEMPORAL_ADDRESS, namespace: TEMPORAL_NAMESPACE } = rig.server;
  const common = { KEYTURN_DIR: dir, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE };
  const key = { KEYTURN_EXECUTOR_KEY: privateKeyOf('executor:bank') };
  const worker = (name: string, more: Readonly<Record<string, string>> = {}): Child =>
    new Child(name, 'test/chaos/workflow-worker.ts', { ...common, ...more }, dir);
  const executor = (RELEASE: string, more: Readonly<Record<string, string>> = {}): Child =>
    new Child(`executor-${RELEASE}`, 'test/upgrade/executor-process.ts', { ...common, ...key, RELEASE, ...more }, dir);
  const effects = async (): Promise<string[]> => (await readFile(join(dir, 'target.jsonl'), 'utf8')).trimEnd().split('\n');
  return { dir, worker, executor, effects };
}
