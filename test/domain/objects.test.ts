import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { replaceAt } from '../../src/domain/pointer.js';
import type { Json } from '../../src/domain/json.js';
import {
  advanceInputSchema,
  answerSchema,
  closeInputSchema,
  doorInput,
  lodgeInputSchema,
  lodgeStopInput,
  RESULTS,
  sealInputSchema,
} from '../../src/domain/objects/answer.js';
import { decisionSchema, patchSchema } from '../../src/domain/objects/decision.js';
import { delegationSchema } from '../../src/domain/objects/delegation.js';
import { entrySchema } from '../../src/domain/objects/entry.js';
import { envelopeSchema } from '../../src/domain/objects/envelope.js';
import { manifestSchema } from '../../src/domain/objects/manifest.js';
import { replySchema } from '../../src/domain/objects/reply.js';
import { requestSchema } from '../../src/domain/objects/request.js';
import { backupSchema, restoreSchema } from '../../src/domain/objects/restore.js';
import { cancelSchema, freezeSchema, resolveSchema } from '../../src/domain/objects/stop.js';
import { toInstant } from '../../src/domain/instant.js';
import { envelope, HOUR, OPENED } from '../helpers/hand-made.js';
import { approve, request } from '../helpers/messages.js';
import { seal } from '../helpers/hand-made.js';
import { vectors } from '../helpers/vectors.js';

const { objects } = vectors(
  'objects',
  z.object({ objects: z.array(z.object({ name: z.string(), object: z.record(z.string(), z.json()) })) }),
);
const golden = (name: string): Json => {
  const found = objects.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no golden ${name}`);
  return found.object;
};
const takes = (schema: z.ZodType, value: unknown): boolean => schema.safeParse(value).success;
/** What the schema says first. */
const said = (schema: z.ZodType, value: unknown): string | undefined => schema.safeParse(value).error?.issues[0]?.message;
const list = (n: number, of: Json): Json => Array.from({ length: n }, () => of);
const text = (n: number): string => 'x'.repeat(n);
const DIGEST = 'a'.repeat(64);

describe('to the limit, and not one further', () => {
  const undo: Json = { step: 'run', plan: { undo: 'automatic' } };
  test.each<[object: string, at: string, schema: z.ZodType, good: readonly Json[], bad: readonly Json[]]>([
    ['envelope, first revision', '/revision', envelopeSchema, [1, 8], [0, 9, 1.5, '1']],
    ['envelope, first revision', '/epoch', envelopeSchema, [1, 2], [0, -1]],
    ['envelope, first revision', '/executeWithin', envelopeSchema, [1, 90 * 24 * HOUR], [0, 90 * 24 * HOUR + 1]],
    ['envelope, first revision', '/rejections', envelopeSchema, [1, 100], [0, 101]],
    ['envelope, first revision', '/stages/0/quorum', envelopeSchema, [1, 100], [0, 101, 1.5]],
    ['envelope, first revision', '/stages/0/from', envelopeSchema, [[], list(100, 'ana')], [list(101, 'ana')]],
    ['envelope, first revision', '/stages/0/remind', envelopeSchema, [[], list(10, 1)], [list(11, 1), [0]]],
    ['envelope, first revision', '/stages/0/escalate/0/to', envelopeSchema, [list(100, 'ana')], [[], list(101, 'ana')]],
    ['envelope, first revision', '/preview/undo', envelopeSchema, [list(1, undo), list(50, undo)], [[], list(51, undo)]],
    ['envelope, first revision', '/preview/warnings', envelopeSchema, [list(100, 'w')], [list(101, 'w')]],
    ['envelope, first revision', '/summary', envelopeSchema, ['', text(4_000)], [text(4_001)]],
    ['envelope, first revision', '/reasons', envelopeSchema, [list(20, 'r')], [list(21, 'r')]],
    ['envelope, first revision', '/rule/name', envelopeSchema, ['r', text(200)], ['', text(201)]],
    ['envelope, first revision', '/guards/independent', envelopeSchema, [0, 1], [-1, 0.5]],
    ['envelope, first revision', '/guards/minTime', envelopeSchema, [0, 1], [-1]],
    ['envelope, first revision', '/webauthn/origins', envelopeSchema, [list(1, 'o'), list(10, 'o')], [[], list(11, 'o'), ['']]],
    ['approve', '/revision', decisionSchema, [1, 8], [0, 9]],
    ['reject', '/reason', decisionSchema, ['x', text(2_000)], ['', text(2_001)]],
    ['ask', '/question', decisionSchema, ['x', text(2_000)], ['', text(2_001)]],
    ['withdraw', '/guards', decisionSchema, [{ [text(60)]: text(500) }], [{ [text(61)]: '' }, { a: text(501) }]],
    ['request', '/reason', requestSchema, ['x', text(2_000)], ['', text(2_001)]],
    ['request', '/params', requestSchema, [{}, { [text(200)]: 1 }], [{ [text(201)]: 1 }, []]],
    ['resolve', '/step', resolveSchema, [1, 50], [0, 51, 1.5]],
    ['entry step_started', '/step', entrySchema, [1, 50], [0, 51]],
    ['entry step_started', '/attempt', entrySchema, [1, 1_000], [0, 1.5]],
    ['entry step_started', '/key', entrySchema, ['', text(200)], [text(201)]],
    ['entry step_failed', '/code', entrySchema, ['x', text(200)], ['', text(201)]],
    ['entry step_done', '/note', entrySchema, ['', text(400)], [text(401)]],
    ['entry executing', '/decisions', entrySchema, [[], list(100, DIGEST)], [list(101, DIGEST)]],
    ['entry resolved', '/by', entrySchema, [list(1, 'ana'), list(100, 'ana')], [[], list(101, 'ana')]],
    ['entry reviewed', '/digests', entrySchema, [list(1, DIGEST), list(100, DIGEST)], [[], list(101, DIGEST)]],
    ['entry sealed', '/seq', entrySchema, [1, 2 ** 53 - 1], [0, 2 ** 53]],
    ['answer', '/epoch', answerSchema, [1], [0]],
    ['backup', '/seq', backupSchema, [0, 1], [-1]],
    ['backup', '/rows', backupSchema, [1], [0]],
    ['restore', '/epoch', restoreSchema, [2], [1]],
    ['manifest', '/types/0/version', manifestSchema, ['1', text(40)], ['', text(41)]],
    ['manifest', '/types/0/editable', manifestSchema, [[], list(200, '/a')], [list(201, '/a')]],
    ['manifest', '/types/0/undo', manifestSchema, [list(1, undo), list(50, undo)], [[], list(51, undo)]],
  ])('%s: %s', (name, at, schema, good, bad) => {
    const written = (value: Json): boolean => takes(schema, replaceAt(golden(name), at, value));
    expect(takes(schema, golden(name))).toBe(true);
    expect([good.map(written), bad.map(written)]).toEqual([good.map(() => true), bad.map(() => false)]);
  });
});

describe('what no single field shows', () => {
  test('6.1 a held action asks somebody, an allowed one nobody', () => {
    const [stage] = envelope().stages;
    const rule = (effect: string) => ({ ...envelope().rule, effect });
    const why = 'a held action asks somebody, an allowed one nobody';
    expect(said(envelopeSchema, { ...envelope(), stages: [] })).toBe(why);
    expect(said(envelopeSchema, { ...envelope(), rule: rule('allow') })).toBe(why);
    expect(said(envelopeSchema, { ...envelope(), rule: rule('allow'), stages: [] })).toBeUndefined();
    expect(said(envelopeSchema, { ...envelope(), stages: [stage, stage] })).toBeUndefined();
  });
  test('an envelope holds the request it is about', () => {
    expect(said(envelopeSchema, { ...envelope(), request: approve('ana', seal()) })).toBe('what it holds is no request');
    expect(said(envelopeSchema, { ...envelope(), request: request({ reason: '' }).signed })).toBe('what it holds is no request');
  });

  test.each<[string, unknown, string]>([
    ['no place', {}, 'a patch names 1 to 50 places'],
    ['too many places', Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`/p${i}`, 1])), 'a patch names 1 to 50 places'],
  ])('a patch of %s', (_what, patch, why) => expect(said(patchSchema, patch)).toBe(why));
  test('a patch of one place, and of fifty', () => {
    expect(takes(patchSchema, { '/cents': 1 })).toBe(true);
    expect(takes(patchSchema, Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`/p${i}`, 1])))).toBe(true);
  });
  test.each(['/cents', '/', '/a/b/0', '/a~0b~1c', '//', '/a/', `/${text(199)}`])('%s is a place of a patch', (place) => {
    expect(takes(patchSchema, { [place]: 1 })).toBe(true);
  });
  test.each(['cents', '', 'a/b', '/a~', '/a~2', ' /a', `/${text(200)}`])('"%s" is none', (place) => {
    const found = patchSchema.safeParse({ [place]: 1 }).error?.issues[0];
    if (found?.code !== 'invalid_key') throw new Error('taken');
    expect(found.issues.map(({ message }) => message)).toContain(
      place.length > 200 ? 'Too big: expected string to have <=200 characters' : 'expected a JSON pointer such as /cents',
    );
  });

  const delegation = (changes: object) => ({
    v: 1,
    deployment: 'acme-test',
    from: 'ana',
    to: 'eva',
    nonce: 'a'.repeat(32),
    issuedAt: toInstant(OPENED),
    until: toInstant(OPENED + HOUR),
    ...changes,
  });
  const WHEN = 'a delegation ends after it begins, within 90 days';
  test.each<[string, object, string | undefined]>([
    ['for an hour', {}, undefined],
    ['for a millisecond', { until: toInstant(OPENED + 1) }, undefined],
    ['for 90 days', { until: toInstant(OPENED + 90 * 24 * HOUR) }, undefined],
    ['to oneself', { to: 'ana' }, 'nobody hands over to himself'],
    ['for no time', { until: toInstant(OPENED) }, WHEN],
    ['that ended before', { until: toInstant(OPENED - 1) }, WHEN],
    ['for a millisecond more', { until: toInstant(OPENED + 90 * 24 * HOUR + 1) }, WHEN],
  ])('a delegation %s', (_what, changes, why) => expect(said(delegationSchema, delegation(changes))).toBe(why));
  test('a delegation covers what it names, in families too', () => {
    const types = (given: Json) => takes(delegationSchema, delegation({ types: given }));
    expect([types(['payments.*']), types(list(20, 'a')), types([]), types(list(21, 'a')), types(['*'])]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test.each(['agent:ap-agent', 'person:dana', 'agent:a.b_c-9'])('%s may cancel', (by) => {
    expect(takes(cancelSchema, { ...(golden('cancel') as object), by })).toBe(true);
  });
  test.each(['ap-agent', 'executor:bank', 'agent:', 'agent:AP', 'an agent:x', 'agent:x y', 'person:dana '])('"%s" names nobody', (by) => {
    expect(said(cancelSchema, { ...(golden('cancel') as object), by })).toBe('expected agent:<id> or person:<id>');
  });
  test('one scope a freeze', () => {
    const scope = (given: object) => takes(freezeSchema, { ...(golden('freeze') as object), scope: given });
    expect([{ all: true }, { type: 'a.b' }, { agent: 'x' }].map(scope)).toEqual([true, true, true]);
    expect([{ all: false }, {}, { type: 'a.*' }, { type: 'a', agent: 'x' }, { agent: 'X' }].map(scope)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
  test('an answer of an agent is a text of at most 2000 characters', () => {
    const reply = (answer: string) =>
      takes(replySchema, {
        v: 1,
        deployment: 'acme-test',
        actionId: envelope().actionId,
        agent: 'ap-agent',
        question: DIGEST,
        text: answer,
        nonce: 'a'.repeat(32),
        issuedAt: toInstant(OPENED),
      });
    expect([reply('x'), reply(text(2_000)), reply(''), reply(text(2_001))]).toEqual([true, true, false, false]);
  });
});

describe('what an executor is asked, and what it answers', () => {
  const { actionId } = envelope();
  const { signed } = request({});
  test('a seal is of a request, of a modify, or of the same again: of one of them', () => {
    const seals = (more: object) => takes(sealInputSchema, { actionId, have: 0, ...more });
    expect([{ request: signed }, { modify: signed }, { reseal: DIGEST }].map(seals)).toEqual([true, true, true]);
    expect([{}, { request: signed, modify: signed }, { reseal: 'x' }].map(seals)).toEqual([false, false, false]);
  });
  test('it has none, or up to 10,000 of the entries; up to 300 decisions are shown', () => {
    const asks = (have: number, decisions = 0, more: object = {}) =>
      takes(advanceInputSchema, { actionId, have, digest: DIGEST, decisions: Array(decisions).fill(signed), ...more });
    expect([asks(0), asks(10_000), asks(-1), asks(10_001)]).toEqual([true, true, false, false]);
    expect([asks(0, 300), asks(0, 301)]).toEqual([true, false]);
    expect([asks(0, 0, { stop: true }), asks(0, 0, { stop: false })]).toEqual([true, false]);
  });
  test.each(['expired', 'execution_expired', 'rejected', 'cancelled'])('it closes what is %s', (reason) => {
    expect(takes(closeInputSchema, { actionId, have: 0, reason, decisions: [] })).toBe(true);
  });
  test('nothing else closes an action', () =>
    expect(takes(closeInputSchema, { actionId, have: 0, reason: 'succeeded', decisions: [] })).toBe(false));
  test('what belongs to no action is asked without one, and shows no entries', () => {
    expect(lodgeStopInput(signed)).toEqual({ actionId: null, have: 0, signed });
    expect(doorInput(null, signed)).toEqual({ actionId: null, have: 10_000, signed });
    expect(doorInput(actionId, signed)).toEqual({ actionId, have: 10_000, signed });
    for (const input of [lodgeStopInput(signed), doorInput(actionId, signed)]) expect(takes(lodgeInputSchema, input)).toBe(true);
  });
  test('attack: the kind of one activity fits no other place', () => {
    const KINDS = ['sealed', 'end', 'refused', 'wait', 'again', 'ask', 'reseal', 'stands', 'report'];
    const kinds = (activity: keyof typeof RESULTS): string[] =>
      RESULTS[activity].options.map((option) => option.shape.kind.value as string);
    expect(Object.fromEntries((Object.keys(RESULTS) as (keyof typeof RESULTS)[]).map((activity) => [activity, kinds(activity)]))).toEqual({
      seal: ['sealed', 'end', 'refused', 'wait'],
      advance: ['again', 'wait', 'ask', 'reseal', 'end', 'refused'],
      lodge: ['stands', 'refused'],
      close: ['end', 'refused'],
      report: ['report', 'refused'],
    });
    for (const activity of Object.keys(RESULTS) as (keyof typeof RESULTS)[])
      for (const kind of KINDS) if (!kinds(activity).includes(kind)) expect(takes(RESULTS[activity], { kind })).toBe(false);
  });
  test('the number of a check is 1 to 15', () => {
    const refused = (check: number) => takes(RESULTS.close, { kind: 'refused', code: 'busy', text: '', check });
    expect([refused(1), refused(15), refused(0), refused(16)]).toEqual([true, true, false, false]);
  });
});
