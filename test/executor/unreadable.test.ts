import { describe, expect, test } from '@jest/globals';
import { readPayload, verifySigned, type Signed } from '../../src/domain/dsse.js';
import { digestOf } from '../../src/domain/hash.js';
import { answerSchema, type Activity, type ResultOf } from '../../src/domain/objects/answer.js';
import { advance } from '../../src/executor/advance.js';
import { close } from '../../src/executor/close.js';
import type { Executor } from '../../src/executor/executor.js';
import { lodge } from '../../src/executor/lodge.js';
import { counted } from '../../src/executor/metrics.js';
import { report } from '../../src/executor/report.js';
import { seal } from '../../src/executor/seal.js';
import { approve, request } from '../helpers/messages.js';
import { EXECUTOR } from '../helpers/signers.js';
import { World } from '../helpers/world.js';
import { ready } from './ready.js';

type Ask = (executor: Executor, raw: unknown) => Promise<Signed>;
const ASKS: readonly (readonly [Activity, Ask])[] = [
  ['seal', seal],
  ['advance', advance],
  ['lodge', lodge],
  ['close', close],
  ['report', report],
];
const ID = request({ idempotencyKey: 'unreadable' }).id;
const cyclic: Record<string, unknown> = { actionId: ID };
cyclic['self'] = cyclic;

/** No input of any activity, and the JSON that its answer names by a digest: null of what is none. */
const NONE: readonly (readonly [string, unknown, unknown])[] = [
  ['nothing', undefined, null],
  ['null', null, null],
  ['a number', 7, 7],
  ['an empty object', {}, {}],
  ['an id and no more', { actionId: ID }, { actionId: ID }],
  ['a number of entries that is none', { actionId: ID, have: -1 }, { actionId: ID, have: -1 }],
  ['members nobody knows', { actionId: ID, have: 0, more: 1 }, { actionId: ID, have: 0, more: 1 }],
  ['what is no JSON', { actionId: ID, have: 0n }, null],
  ['what never ends', cyclic, null],
  ['half a character', { actionId: '\ud83d' }, null],
];

describe.each(ASKS)('attack: %s of what it cannot read', (activity, ask) => {
  test.each(NONE)('%s: refused, signed, and it names nothing of what was asked but its digest', async (_what, input, asked) => {
    const world = await World.open();
    const answers: [Activity, ResultOf<Activity>][] = [];
    const executor = counted(world.executor, {
      answered: (...what) => void answers.push(what),
      written: () => undefined,
      looked: () => undefined,
    });
    const signed = await ask(executor, input);
    expect(verifySigned('answer', signed, EXECUTOR.key)).toBe(true);
    const { result, ...rest } = answerSchema.parse(readPayload('answer', signed));
    expect(result).toEqual({ kind: 'refused', code: 'request_invalid', check: 1, text: expect.stringMatching(/^[^]{1,1000}$/) as unknown });
    expect(answers).toEqual([[activity, result]]);
    const { ledger } = world.executor;
    expect(rest).toEqual({ v: 1, ...ledger.identity, activity, actionId: null, asked: digestOf(asked), status: null, entries: [] });
    for (const table of ['action', 'entry', 'lodged'])
      expect(await world.database.transaction((sql) => sql.all(`SELECT * FROM ${table}`))).toEqual([]);
  });
});

describe('a signed answer', () => {
  test('is to this very question, by this ledger, with where the action is and what the asker has not seen', async () => {
    const { world, sealed, votes } = await ready();
    await world.advance(sealed, votes);
    const input = { actionId: sealed.id, have: 2 };
    const { entries, ...rest } = answerSchema.parse(readPayload('answer', await report(world.executor, input)));
    expect(rest).toEqual({
      v: 1,
      ...world.executor.ledger.identity,
      activity: 'report',
      actionId: sealed.id,
      asked: digestOf(input),
      status: 'succeeded',
      result: { kind: 'report', envelope: sealed.signed, due: 'nothing' },
    });
    expect(entries.map((entry) => (readPayload('entry', entry) as { kind: string }).kind)).toEqual(['step_started', 'step_done', 'ended']);
  });
  test('of an action nobody knows has no status and no entries; of a freeze, no action', async () => {
    const { world, sealed } = await ready();
    const read = async (signed: Promise<Signed>) => answerSchema.parse(readPayload('answer', await signed));
    expect(await read(report(world.executor, { actionId: ID, have: 0 }))).toMatchObject({
      actionId: ID,
      status: null,
      entries: [],
      result: { kind: 'report', envelope: null, due: 'seal' },
    });
    expect(await read(lodge(world.executor, { actionId: null, have: 0, signed: approve('ana', sealed) }))).toMatchObject({
      activity: 'lodge',
      actionId: null,
      status: null,
      entries: [],
      result: { kind: 'refused', code: 'request_invalid', text: 'this ledger knows no such action' },
    });
  });
});
