import { describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { signedSchema } from '../../src/domain/dsse.js';
import * as ids from '../../src/domain/ids.js';
import { instantSchema, toInstant } from '../../src/domain/instant.js';
import { patchSchema } from '../../src/domain/objects/decision.js';
import { delegationSchema, type Delegation } from '../../src/domain/objects/delegation.js';
import { cancelSchema } from '../../src/domain/objects/stop.js';
import { readPayload } from '../../src/domain/dsse.js';
import { OPENED, seal } from '../helpers/hand-made.js';
import { cancel, delegation } from '../helpers/messages.js';

/** What a schema says of a value, to the word: one line an issue, with its place. */
const says = (schema: z.ZodType, value: unknown): string[] =>
  (schema.safeParse(value).error?.issues ?? []).map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));

const NAME = 'expected lower-case letters, digits, ".", "_" or "-"';
describe('names and digests say what they must look like', () => {
  test.each([
    {
      name: 'digestSchema',
      good: 'a'.repeat(64),
      bad: ['a'.repeat(63), 'A'.repeat(64), `${'a'.repeat(64)}\n`, 'a'.repeat(65)],
      say: 'expected 64 lower-case hexadecimal digits',
    },
    {
      name: 'actionIdSchema',
      good: `act_${'0'.repeat(26)}`,
      bad: ['act_', `act_${'0'.repeat(25)}l`, `act_${'0'.repeat(27)}`, `xact_${'0'.repeat(26)}`],
      say: 'expected act_ and 26 characters',
    },
    {
      name: 'personIdSchema',
      good: 'ana',
      bad: ['', 'Ana', 'a-', '-a', 'a'.repeat(65)],
      say: 'expected a roster id: lower-case letters, digits, ".", "_" or "-"',
    },
    {
      name: 'agentIdSchema',
      good: 'ap-agent',
      bad: ['', 'Ap', 'ap agent'],
      say: 'expected an agent id: lower-case letters, digits, ".", "_" or "-"',
    },
    {
      name: 'keyIdSchema',
      good: 'a'.repeat(32),
      bad: ['a'.repeat(31), 'a'.repeat(33), 'G'.repeat(32)],
      say: 'expected a key id: 32 lower-case hexadecimal digits',
    },
    { name: 'nameSchema', good: 'a'.repeat(64), bad: ['', 'A', 'a'.repeat(65), '.a'], say: NAME },
    {
      name: 'typeNameSchema',
      good: 'payments.transfer',
      bad: ['', 'Payments', 'payments.', '.x', '1x', 'a.1'],
      say: 'expected a type name such as payments.transfer',
    },
    {
      name: 'nonceSchema',
      good: 'a'.repeat(32),
      bad: ['a'.repeat(31), 'a'.repeat(33), 'A'.repeat(32)],
      say: 'expected 32 lower-case hexadecimal digits',
    },
  ] as const)('$name', ({ name, good, bad, say }) => {
    expect(says(ids[name], good)).toEqual([]);
    for (const value of bad) expect(says(ids[name], value)).toEqual([say]);
  });
});

describe('other parts say it too', () => {
  test('a moment', () => {
    expect(says(instantSchema, '2026-02-30T00:00:00.000Z')).toEqual(['no such moment']);
    for (const value of ['2026-01-31', ' 2026-01-31T09:30:00.000Z', '2026-01-31T09:30:00.000Z '])
      expect(says(instantSchema, value)[0]).toBe('expected a UTC time such as 2026-01-31T09:30:00.000Z');
  });
  test('base64url', () => {
    const { signed } = seal();
    expect(says(signedSchema, signed)).toEqual([]);
    for (const payload of [`${signed.payload}=`, `=${signed.payload}`, ' '])
      expect(says(signedSchema, { ...signed, payload })).toEqual(['payload: expected unpadded base64url']);
  });
  test('a patch', () => {
    expect(says(patchSchema, { '/a': 1 })).toEqual([]);
    expect(says(patchSchema, {})).toEqual(['a patch names 1 to 50 places']);
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`/p${i}`, i]));
    expect(says(patchSchema, many(50))).toEqual([]);
    expect(says(patchSchema, many(51))).toEqual(['a patch names 1 to 50 places']);
    const issue = patchSchema.safeParse({ cents: 1 }).error?.issues[0];
    expect(issue).toMatchObject({ code: 'invalid_key', issues: [{ message: 'expected a JSON pointer such as /cents' }] });
  });
  test('a cancel', () => {
    const good = readPayload('cancel', cancel(seal().id, { at: OPENED })) as object;
    expect(says(cancelSchema, good)).toEqual([]);
    for (const by of ['ap-agent', 'agent:', 'api:x', 'xagent:x', 'agent:X', 'agent:x y'])
      expect(says(cancelSchema, { ...good, by })).toEqual(['by: expected agent:<id> or person:<id>']);
  });
  test('a delegation', () => {
    const good = readPayload('delegation', delegation('ana', 'ben', { at: OPENED, until: OPENED + 1 })) as unknown as Delegation;
    const lasting = (ms: number) => says(delegationSchema, { ...good, until: toInstant(OPENED + ms) });
    const days = 86_400_000;
    expect([1, 90 * days].map(lasting)).toEqual([[], []]);
    for (const ms of [-1, 0, 90 * days + 1]) expect(lasting(ms)).toEqual(['a delegation ends after it begins, within 90 days']);
    expect(says(delegationSchema, { ...good, to: 'ana' })).toEqual(['nobody hands over to himself']);
  });
});
