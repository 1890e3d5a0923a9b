import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Signed, Signer } from '../../src/domain/dsse.js';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import { toInstant } from '../../src/domain/instant.js';
import { extendReceipt, endOf, readAnswer } from '../../src/domain/receipt.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import { advance } from '../../src/executor/advance.js';
import { executorIdentity } from '../../src/executor/identity.js';
import { checkLedger } from '../../src/executor/ledger/check.js';
import { openLedger } from '../../src/executor/ledger/ledger.js';
import { sourceOf } from '../../src/executor/ledger/source.js';
import { liveRules } from '../../src/executor/live-rules.js';
import { report } from '../../src/executor/report.js';
import { newPrivateKey, signerFrom, writeKeyFile } from '../../src/files/key-files.js';
import { privateKeyOf } from '../cli/folder.js';
import { approve } from '../helpers/messages.js';
import { DEPLOYMENT, policyText, rosterText } from '../helpers/rules-fixture.js';
import { EXECUTOR, signerOf } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';
import { memoryLedger, MINUTE, World } from '../helpers/world.js';

const NEXT = signerOf('executor:bank:2');
const BOTH = { deployment: DEPLOYMENT, keys: [EXECUTOR.key, NEXT.key] };
const from = (key: Signer, ms: number): string => `{ key: '${key.key.text}', from: '${toInstant(ms)}' }`;
const until = (key: Signer, ms: number): string => `{ key: '${key.key.text}', until: '${toInstant(ms)}' }`;
const exchanged = (at: number): string => rosterText({ version: 2, executorKeys: `${until(EXECUTOR, at)}, ${from(NEXT, at)}` });
function parsed(text: string): Roster {
  const read = parseRoster(text, 'roster.yaml');
  if (!read.ok) throw new Error(read.problems.map((problem) => problem.text).join('\n'));
  return read.roster;
}

describe('the key of an executor is exchanged for another', () => {
  /** An action sealed by the old key, agreed to, and run by an executor with `signer` once `passed` is over. */
  async function ranBy(signer: Signer, passed: number) {
    const world = await World.open();
    const sealed = await world.propose();
    const moment = world.clock.ms + MINUTE;
    const roster = parsed(exchanged(moment));
    world.rules.setRoster({ version: 2, executorKeys: `${until(EXECUTOR, moment)}, ${from(NEXT, moment)}` });
    world.clock.pass(passed);
    const executor = { ...world.executor, signer, ledger: await openLedger(world.database, DEPLOYMENT, signer) };
    const decisions = [approve('ana', sealed, { at: world.clock.ms }), approve('ben', sealed, { at: world.clock.ms })];
    const input = { actionId: sealed.id, have: 0, digest: sealed.digest, decisions };
    for (let i = 0; i < 5; i++) await advance(executor, input);
    const asked = { actionId: sealed.id, have: 0 };
    const told = readAnswer('report', sealed.id, asked, await report(executor, asked), BOTH);
    const entries: readonly Signed[] = told?.answer.entries ?? [];
    const evidence = buildEvidence(snapshotOf({ id: sealed.id, entries, revisions: [sealed], decisions }));
    return { world, roster, sealed, entries, evidence };
  }

  test('what the old key sealed, the executor with the new key runs; ledger, receipt and evidence hold', async () => {
    const { world, roster, sealed, entries, evidence } = await ranBy(NEXT, 2 * MINUTE);
    expect(world.bank.effectsOf(sealed.id)).toEqual(['run']);
    const receipt = extendReceipt([], sealed.id, entries, BOTH);
    expect(receipt && endOf(sealed.id, receipt)).toMatchObject({ status: 'succeeded' });
    expect(await checkLedger(sourceOf(world.database), roster)).toMatchObject({ ok: true });
    expect(verifyEvidence(evidence, roster)).toMatchObject({ ok: true, outcome: { status: 'succeeded' } });
  });

  test('attack: what is signed with a key whose time is over is believed by nobody, and neither is a new key before its time', async () => {
    for (const [signer, passed] of [
      [EXECUTOR, 2 * MINUTE],
      [NEXT, 0],
    ] as const) {
      const { world, roster, evidence } = await ranBy(signer, passed);
      expect(await checkLedger(sourceOf(world.database), roster)).toMatchObject({
        ok: false,
        text: expect.stringContaining('was not valid then'),
      });
      expect(verifyEvidence(evidence, roster)).toMatchObject({ ok: false });
    }
  });
});

describe('the executor itself', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'keyturn-keys-'));
    await mkdir(join(dir, '.keyturn', 'keys'), { recursive: true });
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));
  const file = (name: string): string => join(dir, '.keyturn', 'keys', name);

  test('of two keys an executor takes the one whose time it is, and starts with none that is over', async () => {
    await writeKeyFile(file('executor-1.key'), privateKeyOf('executor:bank'));
    await writeKeyFile(file('executor-2.key'), privateKeyOf('executor:bank:2'));
    const keyAt = async (roster: string) => (await executorIdentity(parsed(roster), dir, {})).signer.key.id;
    const [past, future] = [Date.now() - MINUTE, Date.now() + MINUTE];
    expect(await keyAt(exchanged(future))).toBe(EXECUTOR.key.id);
    expect(await keyAt(exchanged(past))).toBe(NEXT.key.id);
    await rm(file('executor-2.key'));
    await expect(keyAt(exchanged(past))).rejects.toThrow('outside its time');
    await rm(file('executor-1.key'));
    await writeKeyFile(file('executor-3.key'), newPrivateKey());
    await expect(keyAt(exchanged(past))).rejects.toThrow('No executor in roster.yaml');
  });

  test("once its key's time is over an executor runs nothing more", async () => {
    const files = { roster: join(dir, 'roster.yaml'), policy: join(dir, 'policy.yaml') };
    const moment = Date.now() + MINUTE;
    await writeFile(files.roster, exchanged(moment));
    await writeFile(files.policy, policyText());
    const ledger = await openLedger(await memoryLedger(), DEPLOYMENT, EXECUTOR);
    try {
      let now = moment - 1;
      const rules = (signer: Signer) => liveRules(ledger, files, signer.key.id, () => now);
      const [old, next] = [rules(EXECUTOR), rules(NEXT)];
      expect([(await old()).ok, (await next()).ok]).toEqual([true, false]);
      now = moment;
      expect([(await old()).ok, (await next()).ok]).toEqual([false, true]);
      expect((await rules(signerFrom(newPrivateKey(), 'a stranger'))()).ok).toBe(false);
    } finally {
      await ledger.close();
    }
  });
});
