import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { digestOf } from '../../src/domain/hash.js';
import {
  defineAction,
  Failed,
  NotStarted,
  PreviewRefused,
  PreviewTooLarge,
  typeMoved,
  type ActionType,
  type StepDefinition,
} from '../../src/executor/define-action.js';
import { manifestOf, publishManifest } from '../../src/executor/manifest.js';
import { readPayload } from '../../src/domain/dsse.js';
import { manifestSchema } from '../../src/domain/objects/manifest.js';
import { seal } from '../helpers/hand-made.js';
import { World } from '../helpers/world.js';

const params = z.strictObject({ cents: z.int().min(1) });
type P = z.output<typeof params>;
const preview = () => ({});
const step = (name: string, more: Partial<StepDefinition<P>> = {}): StepDefinition<P> => ({ name, run: () => 1, undo: () => 2, ...more });
const many = (steps: readonly StepDefinition<P>[]): ActionType => defineAction({ name: 'payments.batch', params, preview, steps });
const numbered = (count: number): StepDefinition<P>[] => Array.from({ length: count }, (_, i) => step(`s${i}`));

describe('an action type is what its definition says', () => {
  test('one step on top is the step "run", with the usual rest', async () => {
    const run = (): number => 1;
    const type = defineAction({ name: 'payments.transfer', params, preview, run, undo: 'impossible' });
    const schema = z.toJSONSchema(params, { io: 'input' });
    expect(type).toMatchObject({
      name: 'payments.transfer',
      version: '1',
      schema,
      schemaDigest: digestOf(schema),
      editable: [],
      plans: [{ step: 'run', plan: { undo: 'impossible' } }],
      result: undefined,
      hasPrecondition: true,
    });
    expect(type.steps).toEqual([{ name: 'run', run, undo: 'impossible' }]);
    expect(type.summarize({ cents: 5 })).toBe('payments.transfer {"cents":5}');
    expect(await type.preview({ cents: 5 }, { policyData: {} })).toEqual({});
    expect(await type.credentials({ actionId: 'a' })).toBeUndefined();
  });
  test('what it says beyond that', async () => {
    const probe = () => ({ outcome: 'unknown' }) as const;
    const result = z.number();
    const type = defineAction({
      name: 'payments.transfer',
      version: '7',
      params,
      editable: ['/cents'],
      result,
      precondition: 'none',
      summarize: ({ cents }) => `Pay ${cents}`,
      preview: ({ cents }, { policyData }) => ({ touches: [`${cents}`, JSON.stringify(policyData)] }),
      credentials: ({ actionId }) => `for ${actionId}`,
      run: () => 1,
      undo: { byHand: 'Call the bank.' },
      probe,
    });
    expect(type).toMatchObject({ version: '7', editable: ['/cents'], result, hasPrecondition: false });
    expect(type.plans).toEqual([{ step: 'run', plan: { undo: 'by_hand', how: 'Call the bank.' } }]);
    expect(type.steps[0]?.probe).toBe(probe);
    expect(type.summarize({ cents: 5 })).toBe('Pay 5');
    expect(await type.preview({ cents: 5 }, { policyData: { a: 1 } })).toEqual({ touches: ['5', '{"a":1}'] });
    expect(await type.credentials({ actionId: 'a' })).toBe('for a');
  });
  test('several steps keep their names, order and plans', () => {
    const type = many([step('reserve'), step('pay', { undo: { byHand: 'Ask for it back.' } }), step('tell', { undo: 'impossible' })]);
    expect(type.plans).toEqual([
      { step: 'reserve', plan: { undo: 'automatic' } },
      { step: 'pay', plan: { undo: 'by_hand', how: 'Ask for it back.' } },
      { step: 'tell', plan: { undo: 'impossible' } },
    ]);
    expect(many(numbered(50)).steps).toHaveLength(50);
  });
  test('parameters are parsed; what a schema throws is a refusal too', () => {
    const type = many(numbered(1));
    expect(type.parse({ cents: 5 })).toEqual({ ok: true, params: { cents: 5 } });
    expect(type.parse({ cents: 0 })).toEqual({ ok: false, text: '✖ Too small: expected number to be >=1\n  → at cents' });
    const thrower = defineAction({
      name: 'payments.odd',
      params: z.object({
        cents: z.number().transform(() => {
          throw new Error('no such rate');
        }),
      }),
      preview,
      run: () => 1,
      undo: 'impossible',
    });
    expect(thrower.parse({ cents: 1 })).toEqual({ ok: false, text: 'no such rate' });
  });
  test.each<[string, () => unknown, string]>([
    ['no step', () => many([]), 'payments.batch: an action has 1 to 50 steps'],
    ['51 steps', () => many(numbered(51)), 'payments.batch: an action has 1 to 50 steps'],
    ['two of one name', () => many([step('a'), step('a')]), 'payments.batch: two steps of one name'],
    ...['', 'A', '-a', 'a b', 'a'.repeat(41), 'a\n'].map((name): [string, () => unknown, string] => [
      `a step called ${JSON.stringify(name)}`,
      () => many([step(name)]),
      `payments.batch: step name "${name}": lower-case letters, digits, ".", "_" or "-"`,
    ]),
    [
      'no undo before the last',
      () => many([step('a', { undo: 'impossible' }), step('b')]),
      'payments.batch: step "a" cannot be undone, so it must be the last',
    ],
  ])('%s is a TypeError', (_name, define, words) => {
    expect(define).toThrow(new TypeError(words));
  });
  test('a name that is none', () => {
    expect(() => defineAction({ name: 'Payments', params, preview, run: () => 1, undo: 'impossible' })).toThrow(
      'expected a type name such as payments.transfer',
    );
    for (const name of ['a'.repeat(40), '0', 'a.b_c-d']) expect(many([step(name)]).steps[0]?.name).toBe(name);
  });
});

test('a type moved if its version, its parameters, its steps or their undo are other than the sealed ones', () => {
  const type = defineAction({ name: 'payments.transfer', params, preview, run: () => 1, undo: () => 2 });
  const { envelope } = seal({ type: { name: type.name, version: type.version, schema: type.schemaDigest } });
  expect(envelope.preview.undo).toEqual([...type.plans]);
  expect(typeMoved(type, envelope)).toBe(false);
  expect(typeMoved({ ...type, version: '2' }, envelope)).toBe(true);
  expect(typeMoved({ ...type, schemaDigest: digestOf({}) }, envelope)).toBe(true);
  expect(typeMoved({ ...type, plans: [{ step: 'run', plan: { undo: 'impossible' } }] }, envelope)).toBe(true);
  expect(typeMoved({ ...type, plans: [...type.plans, ...type.plans] }, envelope)).toBe(true);
});

test('what user code throws says what it is, with a code as message where it gives none', () => {
  for (const Kind of [NotStarted, Failed]) {
    expect(new Kind('no_funds')).toMatchObject({ name: Kind.name, code: 'no_funds', message: 'no_funds' });
    expect(new Kind('no_funds', 'The account is empty.')).toMatchObject({ code: 'no_funds', message: 'The account is empty.' });
  }
  expect(new PreviewTooLarge('Split it.')).toMatchObject({ name: 'PreviewTooLarge', message: 'Split it.' });
  expect(new PreviewRefused('Merged already.')).toMatchObject({ name: 'PreviewRefused', message: 'Merged already.' });
});

describe('the manifest', () => {
  test('is what the executor runs, signed', async () => {
    const { executor } = await World.open();
    const read = manifestSchema.parse(readPayload('manifest', manifestOf(executor)));
    expect(read).toMatchObject({ v: 1, deployment: executor.ledger.identity.deployment, executor: 'bank' });
    expect(read.types).toEqual(
      [...executor.types.values()].map(({ name, version, schema, schemaDigest, editable, plans }) => ({
        name,
        version,
        schema,
        schemaDigest,
        editable: [...editable],
        undo: [...plans],
      })),
    );
  });
  test("is put into history under the executor's own id, in place of the one before", async () => {
    const { executor } = await World.open();
    const started: unknown[][] = [];
    const client = { workflow: { start: async (...args: unknown[]) => void started.push(args) } };
    await publishManifest(client as never, executor);
    expect(started).toEqual([
      [
        'executorManifest',
        {
          workflowId: 'executor_bank',
          taskQueue: 'keyturn',
          args: [manifestOf(executor)],
          workflowIdConflictPolicy: 'TERMINATE_EXISTING',
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          staticSummary: `executor bank: ${[...executor.types.keys()].join(', ')}`,
        },
      ],
    ]);
  });
});
