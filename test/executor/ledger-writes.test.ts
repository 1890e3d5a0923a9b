import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readPayload, signedSchema } from '../../src/domain/dsse.js';
import { actionIdOf, type ActionId } from '../../src/domain/ids.js';
import { canonicalize, parseStrict } from '../../src/domain/json.js';
import type { Database, Row } from '../../src/executor/ledger/database.js';
import type { Lease } from '../../src/executor/ledger/compare-and-set.js';
import { initLedger, openLedger, type Ledger, type LedgerTransaction } from '../../src/executor/ledger/ledger.js';
import { openSqlite } from '../../src/executor/ledger/sqlite.js';
import { transitions } from '../../src/executor/ledger/transitions.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { EXECUTOR } from '../helpers/signers.js';
import { BECAUSE, first, FREE, HELD, newAction, newSeal, NOW, OWNER, STATES, type State } from './ledger/states.js';

const ID = actionIdOf(DEPLOYMENT, 'ap-agent', 'written');
const LATER = NOW + 1_000;
const NEXT = { owner: 'executor-b', until: LATER + 15_000 };
const FIRST = first(ID);
const SECOND = newSeal(ID, 2);
const NO = newSeal(ID, 9);
const CAUSE = canonicalize(BECAUSE);
const LET_GO = { lease_owner: null, lease_until: null };
const held = ({ owner, until }: Lease) => ({ lease_owner: owner, lease_until: until });
const key = (step: string, what: string): string => `${ID}/${step}/${what}`;

/** What a transition leaves behind: rows that are new, columns that changed, entries in their order; what is not named is as it was. */
interface Written {
  readonly action?: Row;
  readonly steps?: Readonly<Record<string, Row>>;
  readonly lodged?: readonly Row[];
  readonly envelopes?: readonly Row[];
  readonly entries?: readonly Readonly<Record<string, unknown>>[];
}
type Move = (tx: LedgerTransaction, id: ActionId) => Promise<void>;
const lodged = (object: string, by: string): Row => ({
  digest: NO.digest,
  action_id: ID,
  object,
  by_whom: by,
  signed: canonicalize(NO.signed),
  at: LATER,
});
const newRow = { state: 'pending', attempt: 1, ...LET_GO, since: null };
const opened = {
  id: ID,
  request: newAction(ID).request,
  content: newAction(ID).content,
  type: 'payments.batch',
  agent: 'ap-agent',
  digest: null,
  stales: 0,
  execute_by: null,
  stop: null,
  cause: null,
  opened_at: LATER,
};
const envelopeOf = (seal: typeof SECOND): Row => ({
  digest: seal.digest,
  action_id: ID,
  revision: seal.revision,
  view: seal.view,
  signed: canonicalize(seal.signed),
  made_by: seal.madeBy,
});
const sealedEntry = ({ digest, revision, view }: typeof SECOND) => ({
  kind: 'sealed',
  digest,
  revision,
  view,
  cause: 'request',
  people: [],
});
const stepRows = (n: number, name: string, lease: Lease): NonNullable<Written['steps']> => ({
  [`${n} undo`]: { ...newRow, idempotency_key: key(name, 'undo') },
  [`${n} run`]: { ...newRow, state: 'started', idempotency_key: key(name, 'run/1'), ...held(lease), since: LATER },
});
const startedEntry = (step: number, name: string, attempt = 1) => ({
  kind: 'step_started',
  step,
  attempt,
  key: key(name, `run/${attempt}`),
});
const owed = { people: ['eva' as never], quorum: 1, due: '2026-06-02T09:00:00.000Z' as never };

const WRITES: readonly (readonly [name: string, from: State, move: Move, written: Written])[] = [
  [
    'open',
    'none',
    (tx, id) => transitions.open(tx, newAction(id), newSeal(id, 1), LATER),
    {
      action: { ...opened, state: 'awaiting', status: 'awaiting_approval', digest: FIRST },
      envelopes: [envelopeOf(newSeal(ID, 1))],
      entries: [sealedEntry(newSeal(ID, 1))],
    },
  ],
  [
    'revise what waits',
    'awaiting',
    (tx, id) => transitions.revise(tx, id, FIRST, 'awaiting', SECOND, LATER),
    { action: { digest: SECOND.digest }, envelopes: [envelopeOf(SECOND)], entries: [sealedEntry(SECOND)] },
  ],
  [
    'revise what is stale',
    'stale',
    (tx, id) => transitions.revise(tx, id, FIRST, 'stale', SECOND, LATER),
    { action: { state: 'awaiting', digest: SECOND.digest }, envelopes: [envelopeOf(SECOND)], entries: [sealedEntry(SECOND)] },
  ],
  [
    'deny',
    'none',
    (tx, id) => transitions.deny(tx, newAction(id), BECAUSE, LATER),
    {
      action: { ...opened, state: 'ended', status: 'denied', cause: CAUSE },
      entries: [{ kind: 'denied', request: newAction(ID).request, status: 'denied', reason: BECAUSE }],
    },
  ],
  [
    'tombstone',
    'none',
    (tx, id) => transitions.tombstone(tx, id, BECAUSE, LATER),
    {
      action: { ...opened, state: 'ended', status: 'cancelled', request: '', content: '', type: '', agent: '', cause: CAUSE },
      entries: [{ kind: 'closed', status: 'cancelled', reason: BECAUSE }],
    },
  ],
  [
    'denyStale',
    'stale',
    (tx, id) => transitions.denyStale(tx, id, FIRST, 'stale', BECAUSE, LATER),
    { action: { state: 'ended', status: 'denied', cause: CAUSE }, entries: [{ kind: 'ended', status: 'denied', reason: BECAUSE }] },
  ],
  [
    'stale',
    'awaiting',
    (tx, id) => transitions.stale(tx, id, FIRST, 'policy_stale', LATER),
    { action: { state: 'stale', stales: 1 }, entries: [{ kind: 'stale', digest: FIRST, code: 'policy_stale' }] },
  ],
  [
    'close',
    'awaiting',
    (tx, id) => transitions.close(tx, id, 'awaiting', 'expired', BECAUSE, LATER),
    { action: { state: 'ended', status: 'expired', cause: CAUSE }, entries: [{ kind: 'closed', status: 'expired', reason: BECAUSE }] },
  ],
  [
    'lodge a rejection',
    'awaiting',
    (tx, id) => transitions.lodge(tx, id, 'reject', NO.digest, 'person:cleo', NO.signed, LATER),
    { lodged: [lodged('reject', 'person:cleo')], entries: [{ kind: 'lodged', object: 'reject', digest: NO.digest, by: 'person:cleo' }] },
  ],
  [
    'lodge a cancel',
    'started',
    (tx, id) => transitions.lodge(tx, id, 'cancel', NO.digest, 'agent:ap-agent', NO.signed, LATER),
    {
      action: { stop: 'agent:ap-agent' },
      lodged: [lodged('cancel', 'agent:ap-agent')],
      entries: [{ kind: 'lodged', object: 'cancel', digest: NO.digest, by: 'agent:ap-agent' }],
    },
  ],
  [
    'stopUnsigned',
    'started',
    (tx, id) => transitions.stopUnsigned(tx, id, LATER),
    { action: { stop: 'unsigned' }, entries: [{ kind: 'lodged', object: 'cancel', digest: null, by: 'unsigned' }] },
  ],
  [
    'lodgeReview',
    'ended',
    (tx, id) => transitions.lodgeReview(tx, id, NO.digest, 'person:eva', NO.signed, LATER),
    { lodged: [lodged('review', 'person:eva')], entries: [{ kind: 'lodged', object: 'review', digest: NO.digest, by: 'person:eva' }] },
  ],
  [
    'reviewed',
    'ended',
    (tx, id) => transitions.reviewed(tx, id, { verdict: 'not_justified', by: ['eva' as never], digests: [NO.digest] }, LATER),
    { entries: [{ kind: 'reviewed', verdict: 'not_justified', by: ['eva'], digests: [NO.digest] }] },
  ],
  [
    'lodgeResolve',
    'unknown',
    (tx, id) => transitions.lodgeResolve(tx, id, NO.digest, 'person:eva', NO.signed, LATER),
    { lodged: [lodged('resolve', 'person:eva')] },
  ],
  [
    'consume',
    'awaiting',
    (tx, id) => transitions.consume(tx, id, FIRST, [NO.digest], 'reserve', LATER + 7, NEXT, LATER),
    {
      action: { state: 'executing', status: 'executing', execute_by: LATER + 7 },
      steps: stepRows(1, 'reserve', NEXT),
      entries: [{ kind: 'executing', digest: FIRST, decisions: [NO.digest] }, startedEntry(1, 'reserve')],
    },
  ],
  [
    'consume by break-glass',
    'awaiting',
    (tx, id) => transitions.consume(tx, id, FIRST, [], 'reserve', LATER + 7, NEXT, LATER, owed),
    {
      action: { state: 'executing', status: 'executing', execute_by: LATER + 7 },
      steps: stepRows(1, 'reserve', NEXT),
      entries: [{ kind: 'executing', digest: FIRST, decisions: [], postReview: owed }, startedEntry(1, 'reserve')],
    },
  ],
  [
    'startStep',
    'done',
    (tx, id) => transitions.startStep(tx, id, 2, 'send', NEXT, LATER),
    { steps: stepRows(2, 'send', NEXT), entries: [startedEntry(2, 'send')] },
  ],
  [
    'retryStep',
    'not_started',
    (tx, id) => transitions.retryStep(tx, id, 1, 'reserve', 2, NEXT, LATER),
    {
      steps: { '1 run': { state: 'started', attempt: 2, idempotency_key: key('reserve', 'run/2'), ...held(NEXT), since: LATER } },
      entries: [startedEntry(1, 'reserve', 2)],
    },
  ],
  ['takeOver', 'started', (tx, id) => transitions.takeOver(tx, id, 1, 1, HELD, NEXT), { steps: { '1 run': held(NEXT) } }],
  ['takeOver of one let go', 'let_go', (tx, id) => transitions.takeOver(tx, id, 1, 1, FREE, NEXT), { steps: { '1 run': held(NEXT) } }],
  ['release', 'started', (tx, id) => transitions.release(tx, id, 1, 1, OWNER), { steps: { '1 run': LET_GO } }],
  [
    'stepDone',
    'started',
    (tx, id) => transitions.stepDone(tx, id, 1, 1, OWNER, { sum: 7 }, undefined, LATER),
    { steps: { '1 run': { state: 'done', ...LET_GO } }, entries: [{ kind: 'step_done', step: 1, attempt: 1, result: { sum: 7 } }] },
  ],
  [
    'stepDone with a note',
    'started',
    (tx, id) => transitions.stepDone(tx, id, 1, 1, OWNER, null, 'left out', LATER),
    {
      steps: { '1 run': { state: 'done', ...LET_GO } },
      entries: [{ kind: 'step_done', step: 1, attempt: 1, result: null, note: 'left out' }],
    },
  ],
  [
    'stepNotStarted',
    'started',
    (tx, id) => transitions.stepNotStarted(tx, id, 1, 1, OWNER, 'closed', LATER),
    {
      steps: { '1 run': { state: 'not_started', ...LET_GO } },
      entries: [{ kind: 'step_not_started', step: 1, attempt: 1, code: 'closed' }],
    },
  ],
  [
    'stepFailed',
    'started',
    (tx, id) => transitions.stepFailed(tx, id, 1, 1, OWNER, 'blocked', BECAUSE, LATER),
    {
      action: { state: 'undoing', status: 'compensating', cause: CAUSE },
      steps: { '1 run': { state: 'failed', ...LET_GO } },
      entries: [{ kind: 'step_failed', step: 1, attempt: 1, code: 'blocked' }],
    },
  ],
  [
    'stepUnknown',
    'started',
    (tx, id) => transitions.stepUnknown(tx, id, 1, 1, OWNER, 'no_probe', LATER),
    {
      action: { state: 'unknown', status: 'outcome_unknown' },
      steps: { '1 run': { state: 'unknown', ...LET_GO } },
      entries: [{ kind: 'step_unknown', step: 1, attempt: 1, code: 'no_probe' }],
    },
  ],
  [
    'succeed',
    'all_done',
    (tx, id) => transitions.succeed(tx, id, LATER),
    {
      action: { state: 'ended', status: 'succeeded', cause: canonicalize({ code: 'succeeded', text: 'It ran.' }) },
      entries: [{ kind: 'ended', status: 'succeeded', reason: { code: 'succeeded', text: 'It ran.' } }],
    },
  ],
  [
    'turnBack',
    'done',
    (tx, id) => transitions.turnBack(tx, id, BECAUSE),
    { action: { state: 'undoing', status: 'compensating', cause: CAUSE } },
  ],
  [
    'startUndo, the first time',
    'undoing',
    (tx, id) => transitions.startUndo(tx, id, 1, FREE, NEXT, key('reserve', 'undo'), LATER),
    {
      steps: { '1 undo': { state: 'started', ...held(NEXT), since: LATER } },
      entries: [{ kind: 'undo_started', step: 1, key: key('reserve', 'undo') }],
    },
  ],
  [
    'startUndo, once more',
    'undo_let_go',
    (tx, id) => transitions.startUndo(tx, id, 1, FREE, NEXT, key('reserve', 'undo'), LATER),
    { steps: { '1 undo': held(NEXT) } },
  ],
  ['undoAgain', 'undo_started', (tx, id) => transitions.undoAgain(tx, id, 1, OWNER), { steps: { '1 undo': LET_GO } }],
  [
    'undoDone',
    'undo_started',
    (tx, id) => transitions.undoDone(tx, id, 1, OWNER, LATER),
    { steps: { '1 undo': { state: 'done', ...LET_GO } }, entries: [{ kind: 'undo_done', step: 1 }] },
  ],
  ...(['failed', 'unknown'] as const).map((state): readonly [string, State, Move, Written] => [
    `undoLost, ${state}`,
    'undo_started',
    (tx, id) => transitions.undoLost(tx, id, 1, OWNER, state, 'tired', LATER),
    {
      action: { state: 'partial', status: 'compensation_failed' },
      steps: { '1 undo': { state, ...LET_GO } },
      entries: [{ kind: `undo_${state}`, step: 1, code: 'tired' }],
    },
  ]),
  [
    'finishUndo',
    'undone',
    (tx, id) => transitions.finishUndo(tx, id, 'compensated', BECAUSE, LATER),
    { action: { state: 'ended', status: 'compensated' }, entries: [{ kind: 'ended', status: 'compensated', reason: BECAUSE }] },
  ],
  ...(['executing', 'undoing'] as const).map((next): readonly [string, State, Move, Written] => [
    `resolve, ${next} on`,
    'unknown',
    (tx, id) =>
      transitions.resolve(
        tx,
        id,
        'unknown',
        1,
        { run: 'done', undo: 'done', next },
        { verdict: 'happened', by: ['eva' as never], digests: [NO.digest] },
        BECAUSE,
        LATER,
      ),
    {
      action: { state: next, status: next === 'executing' ? 'executing' : 'compensating', cause: CAUSE },
      steps: { '1 run': { state: 'done' }, '1 undo': { state: 'done' } },
      entries: [{ kind: 'resolved', step: 1, verdict: 'happened', by: ['eva'], digests: [NO.digest] }],
    },
  ]),
  [
    'resolve keeps the first cause',
    'partial',
    (tx, id) =>
      transitions.resolve(
        tx,
        id,
        'partial',
        1,
        { run: 'done', undo: 'done', next: 'undoing' },
        { verdict: 'undone_by_hand', by: ['eva' as never], digests: [NO.digest] },
        { code: 'failed', text: 'another' },
        LATER,
      ),
    {
      action: { state: 'undoing', status: 'compensating' },
      steps: { '1 undo': { state: 'done' } },
      entries: [{ kind: 'resolved', step: 1, verdict: 'undone_by_hand', by: ['eva'], digests: [NO.digest] }],
    },
  ],
];

describe('each transition writes this, and nothing else', () => {
  let database: Database;
  let ledger: Ledger;
  beforeAll(async () => {
    database = openSqlite(':memory:', { create: true });
    await initLedger(database, DEPLOYMENT);
    ledger = await openLedger(database, DEPLOYMENT, EXECUTOR);
  });
  afterAll(() => database.close());

  async function read(tx: LedgerTransaction) {
    const all = (text: string): Promise<Row[]> => tx.sql.all(text);
    return {
      action: (await all('SELECT * FROM action'))[0],
      steps: new Map((await all('SELECT * FROM step')).map((row) => [`${String(row['n'])} ${String(row['phase'])}`, row])),
      lodged: await all('SELECT * FROM lodged'),
      envelopes: await all('SELECT * FROM envelope ORDER BY revision'),
      entries: (await all('SELECT signed FROM entry ORDER BY seq')).map((row) =>
        readPayload('entry', signedSchema.parse(parseStrict(String(row['signed'])))),
      ),
    };
  }
  /** The columns of a row that are not as they were. The chain's own (head, entries) follow from the entries. */
  function changed(before: Row | undefined, after: Row | undefined): Row {
    const own = Object.entries(after ?? {}).filter(([column, value]) => before?.[column] !== value && !CHAIN.includes(column));
    return Object.fromEntries(own);
  }
  const CHAIN = ['head', 'entries', 'action_id', 'n', 'phase'];
  const HEAD = ['v', 'deployment', 'ledger', 'epoch', 'seq', 'prev', 'prevOfAction', 'actionId'];

  test.each(WRITES)('%s', async (_name, from, move, written) => {
    let found: Written | undefined;
    const trial = ledger.transaction(async (tx) => {
      await STATES[from](tx, ID);
      const before = await read(tx);
      await move(tx, ID);
      const after = await read(tx);
      const steps = [...after.steps].map(([name, row]) => [name, changed(before.steps.get(name), row)] as const);
      found = {
        action: changed(before.action, after.action),
        steps: Object.fromEntries(steps.filter(([, row]) => Object.keys(row).length > 0)),
        lodged: after.lodged.slice(before.lodged.length),
        envelopes: after.envelopes.slice(before.envelopes.length),
        entries: after.entries.slice(before.entries.length).map((entry) => {
          expect(entry).toMatchObject({ actionId: ID });
          return Object.fromEntries(Object.entries(entry ?? {}).filter(([member]) => !HEAD.includes(member)));
        }),
      };
      throw new Error('enough');
    });
    await expect(trial).rejects.toThrow('enough');
    const at = '2026-06-01T09:00:01.000Z';
    const { action = {}, steps = {}, lodged: stops = [], envelopes = [], entries = [] } = written;
    expect(found).toEqual({ action, steps, lodged: stops, envelopes, entries: entries.map((entry) => ({ ...entry, at })) });
  });
});
