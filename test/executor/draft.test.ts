import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { JsonObject } from '../../src/domain/json.js';
import { readPayload } from '../../src/domain/dsse.js';
import { requestSchema } from '../../src/domain/objects/request.js';
import { defineAction, PreviewRefused, PreviewTooLarge, type ActionType, type PreviewDraft } from '../../src/executor/define-action.js';
import { modify, reject, request, thaw, type SealedRevision } from '../helpers/messages.js';
import { afterRestore } from '../helpers/restored.js';
import { BREAK_GLASS, ONE_OF_FINANCE, policyText, rosterText, TestRules, usualAgents } from '../helpers/rules-fixture.js';
import { API, keyOfPerson, signerOf } from '../helpers/signers.js';
import { held, HOUR, MINUTE, SECOND, World } from '../helpers/world.js';

const params = z.strictObject({ vendor: z.string(), cents: z.int() });
/** A world whose transfer says this in its preview, and of itself. */
const saying = (preview: () => PreviewDraft, more: Partial<ActionType> = {}): Promise<World> => {
  const type = defineAction({ name: 'payments.transfer', params, preview, run: () => 1, undo: () => 2, editable: ['/cents'] });
  return World.open({ types: () => new Map([[type.name, { ...type, ...more }]]) });
};
const deniedWith = async (world: World, code: string, text: unknown, proposal: Parameters<typeof request>[0] = {}): Promise<void> => {
  const { id, signed } = request(proposal);
  expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
  expect(world.outcome(id).reason).toEqual({ code, text });
};

describe('§4 what is sealed is this, to the last member', () => {
  test('of a plain request, with what nobody said left out', async () => {
    const world = await saying(() => ({}));
    const { id, signed } = request({ params: { vendor: 'ACME', cents: 7 } });
    const { envelope } = held(await world.seal(id, signed));
    const { policy, roster } = await world.executor.rules().then((rules) => (rules.ok ? rules : Promise.reject(new Error(rules.text))));
    const type = world.types.get('payments.transfer');
    expect(envelope).toEqual({
      v: 1,
      ...world.executor.ledger.identity,
      actionId: id,
      executor: 'bank',
      nonce: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      revision: 1,
      parent: null,
      request: signed,
      standing: 'signed',
      agent: 'ap-agent',
      owner: 'dana',
      onBehalfOf: null,
      contributors: [],
      type: { name: 'payments.transfer', version: '1', schema: type?.schemaDigest },
      params: { vendor: 'ACME', cents: 7 },
      previousParams: null,
      summary: 'payments.transfer {"vendor":"ACME","cents":7}',
      preview: { changes: [], touches: [], warnings: [], undo: [{ step: 'run', plan: { undo: 'automatic' } }] },
      risk: 'low',
      reasons: ['It can be undone automatically.'],
      policy: { version: 1, digest: policy.digest },
      roster: { version: 1, digest: roster.digest },
      rule: { effect: 'hold', name: 'vendor payments', because: 'Money leaves the company.' },
      stages: [{ name: 'finance', from: ['ana', 'ben', 'cleo'], quorum: 2, remind: [], escalate: [] }],
      budget: [],
      rejections: 1,
      resolve: { people: ['eva'], quorum: 1 },
      exclusions: [{ person: 'dana', why: 'owner' }],
      openedAt: '2026-06-01T09:00:00.000Z',
      sealedAt: '2026-06-01T09:00:00.000Z',
      approveBy: '2026-06-02T09:00:00.000Z',
      executeWithin: 30 * MINUTE,
      guards: { development: false, selfApproval: false, request: 'any', minTime: 0, independent: 0, confirmField: null },
      earlier: [],
      view: 1,
      webauthn: { rpId: 'localhost', origins: ['http://localhost:7878'] },
    });
    expect(requestSchema.parse(readPayload('request', envelope.request)).idempotencyKey).toMatch(/^key /);
  });
  test('of everything a preview and a rule may say', async () => {
    const preview = { changes: [{ what: 'balance', from: '1', to: '2' }], touches: ['ACME'], warnings: ['It is late.'], precondition: [1] };
    const world = await saying(() => preview);
    world.rules.setRoster({
      groups: { security: ['cleo', 'fay'] },
      people: { fay: `{ name: fay, keys: ['${keyOfPerson('fay').key.text}'] }` },
    });
    world.rules.setPolicy({
      ...BREAK_GLASS,
      more: [
        ...BREAK_GLASS.more,
        'minTime: 1m',
        'minView: 5s',
        'cooldown: 2h',
        'confirmField: /cents',
        'budget: [{ per: agent, within: 1h, limit: 9 }]',
      ],
      delegates: '[group:finance-leads]',
    });
    const { envelope } = await world.propose({ onBehalfOf: 'ana' });
    expect(envelope).toMatchObject({
      onBehalfOf: 'ana',
      preview,
      breakGlass: { people: ['cleo', 'fay'], quorum: 1, reviewWithin: 72 * HOUR },
      delegates: ['eva'],
      budget: [{ per: 'agent', within: HOUR, limit: 9 }],
      guards: { minTime: MINUTE, minView: 5 * SECOND, cooldown: 2 * HOUR, confirmField: '/cents' },
    });
  });
  test('a roster for development, and one that lets people approve their own, say so', async () => {
    const world = await saying(() => ({}));
    world.rules.setRoster({ more: 'development: true\nselfApproval: true' });
    expect((await world.propose()).envelope.guards).toMatchObject({ development: true, selfApproval: true });
  });
  test('each seal has a nonce of its own', async () => {
    const world = await saying(() => ({}));
    const nonces = [await world.propose(), await world.propose()].map(({ envelope }) => envelope.nonce);
    expect(new Set(nonces).size).toBe(2);
  });
});

describe('6.4 the keys of all who may ever decide are sealed with it', () => {
  const peopleOf = (world: World, { id }: SealedRevision) => {
    const [entry] = world.entries(id);
    if (entry?.kind !== 'sealed') throw new Error('not sealed');
    return entry.people;
  };
  test('of stages, escalations, resolvers, delegates and reviewers, sorted, each with its time', async () => {
    const world = await World.open();
    const [from, until] = ['2026-05-01T00:00:00.000Z', '2026-07-01T00:00:00.000Z'];
    const key = (person: string): string => keyOfPerson(person).key.text;
    world.rules.setRoster({
      groups: { finance: ['ben', 'ana'], 'finance-leads': ['gina'], night: ['eva'], audit: ['fay'], security: ['cleo'] },
      people: {
        ana: `{ name: ana, keys: [{ key: '${key('ana')}', from: '${from}' }] }`,
        ben: `{ name: ben, keys: [{ key: '${key('ben')}', until: '${until}' }, '${signerOf('second').key.text}'] }`,
        fay: `{ name: fay, keys: [{ key: '${key('fay')}', from: '${from}', until: '${until}' }] }`,
        gina: `{ name: gina, keys: ['${key('gina')}'] }`,
        hal: `{ name: hal, keys: ['${key('hal')}'] }`,
      },
    });
    world.rules.setPolicy({
      stages: '[{ name: finance, from: [group:finance], quorum: 1, escalate: [{ after: 8h, to: [group:night] }] }]',
      executeWithin: '10m',
      delegates: '[person:hal]',
      more: ['breakGlass: { review: { from: [group:audit], quorum: 1 }, reviewWithin: 72h }'],
    });
    const sealed = await world.propose();
    expect(peopleOf(world, sealed)).toEqual([
      { person: 'ana', keys: [{ key: key('ana'), from }] },
      { person: 'ben', keys: [{ key: key('ben'), until }, { key: signerOf('second').key.text }] },
      { person: 'eva', keys: [{ key: key('eva') }] },
      { person: 'fay', keys: [{ key: key('fay'), from, until }] },
      { person: 'gina', keys: [{ key: key('gina') }] },
      { person: 'hal', keys: [{ key: key('hal') }] },
    ]);
  });

  /** A world whose finance has so many people of so many keys each. */
  const crowd = (count: number, keys: number): Promise<World> => {
    const names = Array.from({ length: count }, (_, i) => `p${String(i).padStart(3, '0')}`);
    const listed = (name: string): string =>
      Array.from({ length: keys }, (_, i) => `'${signerOf(`crowd ${name} ${i}`).key.text}'`).join(', ');
    const people = Object.fromEntries(names.map((name) => [name, `{ name: ${name}, keys: [${listed(name)}] }`]));
    const roster = rosterText({ people, groups: { finance: names.slice(0, 50), 'finance-leads': names.slice(50) } });
    return World.open({ rules: new TestRules(policyText({ stages: ONE_OF_FINANCE }), roster) });
  };
  const TOO_MANY = 'the rule names more people or keys than can be sealed (100 people, 32 KiB of keys)';
  test('a hundred people, not one more', async () => {
    const most = await crowd(100, 1);
    expect(peopleOf(most, await most.propose())).toHaveLength(100);
    await deniedWith(await crowd(101, 1), 'policy_error', 'rule "vendor payments" asks 101 people; at most 100 can be sealed');
  });
  test('32 KiB of keys, not more', async () => {
    const world = await crowd(51, 5);
    const people = peopleOf(world, await world.propose());
    const each = Buffer.byteLength(JSON.stringify(people)) / 51;
    const fit = Math.floor(32_768 / each);
    expect(fit).toBeGreaterThan(51);
    expect(fit).toBeLessThan(100);
    const most = await crowd(fit, 5);
    expect(peopleOf(most, await most.propose())).toHaveLength(fit);
    await deniedWith(await crowd(fit + 1, 5), 'policy_error', TOO_MANY);
  });
});

describe('the words of a type', () => {
  test('a summary that cannot be made', async () => {
    const world = await saying(() => ({}), {
      summarize: () => {
        throw new Error('no rate for EUR');
      },
    });
    await deniedWith(world, 'preview_failed', 'summarize: no rate for EUR');
  });
  test.each<[string, Error, string]>([
    ['too large', new PreviewTooLarge('x'.repeat(2_001)), 'preview_too_large'],
    ['refused', new PreviewRefused('x'.repeat(2_001)), 'preview_refused'],
  ])('of a preview that is %s are cut to what fits', async (_what, error, code) => {
    const world = await saying(() => {
      throw error;
    });
    await deniedWith(world, code, 'x'.repeat(2_000));
  });
  test('of parameters that do not fit are cut, too', async () => {
    const world = await saying(() => ({}), { parse: () => ({ ok: false, text: 'y'.repeat(2_001) }) });
    await deniedWith(world, 'params_invalid', 'y'.repeat(2_000));
  });
  test('a preview of exactly 256 KiB is shown, one byte more is not', async () => {
    const touching = (length: number) => saying(() => ({ touches: [...Array<string>(65).fill('x'.repeat(4_000)), 'x'.repeat(length)] }));
    const length =
      262_144 -
      JSON.stringify({
        changes: [],
        touches: [...Array<string>(65).fill('x'.repeat(4_000)), ''],
        undo: [{ plan: { undo: 'automatic' }, step: 'run' }],
        warnings: [],
      }).length;
    expect((await (await touching(length)).propose()).envelope.preview.touches).toHaveLength(66);
    await deniedWith(await touching(length + 1), 'preview_too_large', 'The preview is larger than people can be shown.');
  });
  test('parameters that are read into what is no JSON are no action', async () => {
    const odd = { ok: true, params: { cents: 1n } as unknown as JsonObject } as const;
    const world = await saying(() => ({}), { parse: () => odd, summarize: () => 'odd' });
    const { id, signed } = request();
    expect(await world.seal(id, signed)).toEqual({ kind: 'end' });
    expect(world.outcome(id)).toMatchObject({ status: 'denied', effect: 'none' });
  });
});

describe('6.13 earlier actions of equal content', () => {
  test('the five newest, the newest first, and what became of each; a long reason is cut', async () => {
    const world = await World.open();
    const made: SealedRevision[] = [];
    for (let i = 0; i < 6; i++) {
      world.clock.pass(SECOND);
      made.push(await world.propose());
    }
    const [, second, third] = made;
    if (second === undefined || third === undefined) throw new Error('none');
    await world.close(third.id, 'rejected', [reject('cleo', third, { reason: 'z'.repeat(1_500), at: world.clock.ms })]);
    world.clock.pass(SECOND);
    const { envelope } = await world.propose();
    const open = { status: 'awaiting_approval', reason: '', by: null };
    expect(envelope.earlier).toEqual(
      made
        .slice(1)
        .reverse()
        .map(({ id }) =>
          id === third.id ? { actionId: id, status: 'rejected', reason: 'z'.repeat(1_000), by: 'person:cleo' } : { actionId: id, ...open },
        ),
    );
    expect((await world.propose({ params: { vendor: 'ACME', cents: 1 } })).envelope.earlier).toEqual([]);
  });
});

test('in a ledger that was restored every seal says that nobody knows what ran in between, before what its preview warns of', async () => {
  const before = await saying(() => ({ warnings: ['It is late.'] }));
  before.clock.pass(HOUR);
  const { world, restored } = await afterRestore(before);
  for (const person of ['cleo', 'eva']) await world.lodge(null, thaw(person, restored.freeze, { at: world.clock.ms }));
  expect((await world.propose()).envelope.preview.warnings).toEqual([
    'This ledger was restored on 2026-06-01T10:00:00.000Z from a backup of 2026-06-01T10:00:00.000Z. What ran in between is not on its record: if this was asked for before, make sure at its target that it has not run.',
    'It is late.',
  ]);
});

describe('a modify', () => {
  test('of a type with nothing to modify, or two members that are', async () => {
    for (const [editable, words] of [
      [[], 'nothing'],
      [['/cents', '/note'], '/cents, /note'],
    ] as const) {
      const world = await saying(() => ({}), { editable });
      const sealed = await world.propose();
      expect(await world.modify(sealed.id, modify('cleo', sealed, { '/vendor': 'EVIL' }))).toMatchObject({
        code: 'params_invalid',
        text: `/vendor is not editable; editable: ${words}`,
      });
      world.types.delete('payments.transfer');
      expect(await world.modify(sealed.id, modify('cleo', sealed, { '/cents': 1 }))).toMatchObject({
        code: 'params_invalid',
        text: '/cents is not editable; editable: nothing',
      });
    }
  });
  test('the owner of now is excluded from what comes of it, and who edited last stands with who edited before, sorted', async () => {
    const world = await saying(() => ({}));
    world.rules.setPolicy({ stages: ONE_OF_FINANCE });
    const first = await world.propose();
    const second = held(await world.modify(first.id, modify('cleo', first, { '/cents': 1 })));
    world.rules.setRoster({ version: 2, agents: usualAgents().map((line) => line.replace('owner: dana', 'owner: eva')) });
    const third = held(await world.modify(first.id, modify('ana', second, { '/cents': 2 })));
    expect(third.envelope).toMatchObject({
      owner: 'eva',
      contributors: ['ana', 'cleo'],
      revision: 3,
      parent: second.digest,
      openedAt: first.envelope.openedAt,
      previousParams: { vendor: 'ACME', cents: 1 },
      exclusions: [
        { person: 'eva', why: 'owner' },
        { person: 'ana', why: 'editor' },
        { person: 'cleo', why: 'editor' },
      ],
    });
    world.rules.setRoster({ version: 3, agents: [usualAgents()[1] ?? ''] });
    expect(await world.modify(first.id, modify('ana', third, { '/cents': 3 }))).toMatchObject({ kind: 'sealed' });
  });
  test('or a second seal, of what nobody knows, or was never sealed', async () => {
    const world = await World.open();
    const sealed = await world.propose();
    const change = modify('cleo', sealed, { '/cents': 1 });
    const unknown = request();
    expect(await world.modify(unknown.id, change)).toMatchObject({ code: 'action_ended', text: 'no such action is under review' });
    await world.close(unknown.id, 'cancelled');
    expect(await world.modify(unknown.id, change)).toMatchObject({ code: 'action_ended', text: 'no such action is under review' });
    for (const { id } of [unknown, request()])
      expect(await world.reseal(id, sealed.digest)).toMatchObject({ code: 'action_ended', text: 'no such action is under review' });
  });
});

describe('who asks, by the clock', () => {
  const bearer = (until: string): string => `${(usualAgents()[1] ?? '').replace(' }', `, until: '${until}' }`)}`;
  test.each([
    ['2026-06-01T09:00:00.000Z', 'refused'],
    ['2026-06-01T09:00:00.001Z', 'sealed'],
  ])('an agent vouched for, until %s: %s', async (until, kind) => {
    const world = await World.open();
    world.rules.setRoster({ agents: [usualAgents()[0] ?? '', bearer(until)] });
    const { id, signed } = request({ agent: 'bearer-agent', by: API });
    expect(await world.seal(id, signed)).toMatchObject({ kind });
  });
  test('an agent’s key before and after its time; another agent’s key; what he may not propose', async () => {
    const world = await World.open();
    const agent = (time: string): string =>
      `ap-agent: { owner: dana, keys: [{ key: '${signerOf('agent:ap-agent').key.text}', ${time} }], propose: [payments.*] }`;
    const other = `other-agent: { owner: dana, key: '${signerOf('other').key.text}', propose: [payments.transfer] }`;
    const seal = async (proposal: Parameters<typeof request>[0] = {}): Promise<unknown> => {
      const { id, signed } = request(proposal);
      const answer = await world.seal(id, signed);
      return answer.kind === 'refused' ? `${answer.code}: ${answer.text}` : answer.kind;
    };
    const nobody = 'credential_invalid: No valid credential of a known agent, person or API stands behind this.';
    for (const [time, said] of [
      ["until: '2026-06-01T09:00:00.000Z'", nobody],
      ["until: '2026-06-01T09:00:00.001Z'", 'sealed'],
      ["from: '2026-06-01T09:00:00.001Z'", nobody],
      ["from: '2026-06-01T09:00:00.000Z'", 'sealed'],
    ] as const) {
      world.rules.setRoster({ agents: [agent(time), other] });
      expect(await seal()).toBe(said);
    }
    expect(await seal({ by: signerOf('other') })).toBe(nobody);
    expect(await seal({ agent: 'other-agent', by: signerOf('other'), type: 'payments.batch' })).toBe(
      'credential_invalid: other-agent may not propose payments.batch',
    );
    expect(await seal({ agent: 'other-agent', by: signerOf('other') })).toBe('sealed');
  });
  test('attack: roster and request of another deployment than the ledger’s', async () => {
    const world = await World.open();
    const { rules } = world.executor;
    world.executor = {
      ...world.executor,
      rules: async () => {
        const read = await rules();
        return read.ok ? { ...read, roster: { ...read.roster, deployment: 'acme-prod' } } : read;
      },
    };
    const { id, signed } = request({ deployment: 'acme-prod' });
    expect(await world.seal(id, signed)).toMatchObject({ code: 'audience_mismatch', text: 'the request is for acme-prod' });
  });
});
