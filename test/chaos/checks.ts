import { expect } from 'expect';
import { buildEvidence } from '../../src/domain/evidence/build.js';
import { verifyEvidence } from '../../src/domain/evidence/verify.js';
import type { EndStatus } from '../../src/domain/outcome.js';
import { checkLedger } from '../../src/executor/ledger/check.js';
import { sourceOf } from '../../src/executor/ledger/source.js';
import { openDatabase } from '../../src/executor/start-executor.js';
import type { Roster } from '../../src/domain/roster.js';
import type { Case } from './cases.js';
import type { Scene } from './scene.js';
import type { TypeName } from './types.js';

const TWO_STEPS: readonly TypeName[] = ['pair', 'slow', 'forgetful', 'by-hand'];

/** The states of an action's entries in the bank's book, as its end says they must be: each effect once, undone, or not at all. */
function expected(type: TypeName, status: EndStatus): readonly string[] {
  if (status === 'succeeded') return TWO_STEPS.includes(type) ? ['reserved', 'paid'] : ['paid'];
  return status === 'compensated' ? ['released'] : [];
}

/** The end says what the bank's book says, and the evidence of it holds together. */
export async function checkEnd(scene: Scene, { type, ends }: Case): Promise<void> {
  const outcome = await scene.outcome();
  expect(outcome).toMatchObject({ status: ends, final: true });
  expect((await scene.effects()).map(({ state }) => state)).toEqual(expected(type, ends));
  const verdict = verifyEvidence(buildEvidence(await scene.snapshot()), scene.stage.roster);
  expect(verdict).toMatchObject({ ok: true, actionId: scene.id, outcome: { status: ends, effect: outcome.effect } });
}

/** The whole book of an executor that was killed for good: one unbroken chain, every action ended, no lease, no undo without its step. */
export async function checkBook(where: string, roster: Roster, actions: number): Promise<void> {
  const database = await openDatabase(where);
  try {
    expect(await checkLedger(sourceOf(database), roster)).toMatchObject({ ok: true });
    const count = (sql: string): Promise<number> => database.transaction(async (tx) => Number((await tx.all(sql))[0]?.['n']));
    expect(await count(`SELECT COUNT(*) AS n FROM action WHERE state = 'ended'`)).toBe(actions);
    expect(await count(`SELECT COUNT(*) AS n FROM action`)).toBe(actions);
    expect(await count(`SELECT COUNT(*) AS n FROM step WHERE lease_owner IS NOT NULL`)).toBe(0);
    const lonely = (phase: string, other: string): string =>
      `SELECT COUNT(*) AS n FROM step AS a WHERE a.phase = '${phase}' AND NOT EXISTS (SELECT 1 FROM step AS b WHERE b.action_id = a.action_id AND b.n = a.n AND b.phase = '${other}')`;
    expect(await count(lonely('run', 'undo'))).toBe(0);
    expect(await count(lonely('undo', 'run'))).toBe(0);
  } finally {
    await database.close();
  }
}
