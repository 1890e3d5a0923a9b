import { describe, expect, test } from '@jest/globals';
import { canonicalize, type JsonObject } from '../../src/domain/json.js';
import { viewDigestOf, viewV1, type ViewV1 } from '../../src/domain/view/v1.js';
import { envelope, HOUR, MINUTE, type EnvelopeChanges } from '../helpers/hand-made.js';
import { request } from '../helpers/messages.js';

const view = (changes: EnvelopeChanges = {}): ViewV1 => viewV1(envelope(changes));
const GUARDS = { development: false, selfApproval: false, request: 'any', minTime: 0, independent: 0, confirmField: null };
const PREVIEW = { changes: [], touches: [], warnings: [], undo: [{ step: 'run', plan: { undo: 'automatic' } }] };
const RULE = { effect: 'hold', name: 'vendor payments', because: 'Money leaves the company.' };

describe('what a reviewer must know before anything else', () => {
  test.each<[string, EnvelopeChanges, string[]]>([
    ['nothing of an ordinary action', {}, []],
    [
      'break-glass: who reviews it, and until when',
      { breakGlass: { people: ['eva', 'finn'], quorum: 2, reviewWithin: 72 * HOUR } },
      ['BREAK-GLASS: approve only with a reason, and only what cannot wait; once begun, 2 of eva, finn must review it within 3d'],
    ],
    [
      'a development roster',
      { guards: { ...GUARDS, development: true } },
      ['development roster: keys of other people may be at hand on this machine'],
    ],
    ['self-approval', { guards: { ...GUARDS, selfApproval: true } }, ["self-approval is switched on: the agent's owner counts"]],
    ['a request the agent did not sign', { standing: 'vouched' }, ['the request is not signed by the agent itself']],
  ])('%s', (_what, changes, notices) => expect(view(changes).notices).toEqual(notices));
});

describe('what holds beside the quorums', () => {
  const line = { per: 'owner', within: 24 * HOUR, sum: '/cents', limit: 100_000 };
  test.each<[string, EnvelopeChanges, string[]]>([
    ['nothing', {}, []],
    ['nobody is asked', { rule: { ...RULE, effect: 'allow' }, stages: [] }, ['nobody is asked: the policy lets it run']],
    [
      'budgets, each with what it counts',
      { budget: [line, { per: 'all', within: HOUR, limit: 3 }] },
      [
        "counts against the budget: 100000 /cents within 1d, of this owner's agents",
        'counts against the budget: 3 actions within 1h, in all',
      ],
    ],
    ['signed requests', { guards: { ...GUARDS, request: 'signed' } }, ['only signed requests']],
    [
      'a time nothing starts before',
      { guards: { ...GUARDS, minTime: 10 * MINUTE } },
      ['nothing starts before 2026-01-31T09:10:00.000Z, 10m after this seal'],
    ],
    [
      'independent votes',
      { guards: { ...GUARDS, independent: 2 } },
      ['at least 2 of the approvals made with the command line (Ed25519 keys)'],
    ],
    ['a value to repeat', { guards: { ...GUARDS, confirmField: '/cents' } }, ['the value of /cents confirmed in the decision']],
    ['a time after a rejection', { guards: { ...GUARDS, cooldown: 2 * HOUR } }, ['rejected, the same may be proposed again only after 2h']],
    [
      'a time to read',
      { guards: { ...GUARDS, minView: 20_000 } },
      ['read for 20s before an approval (a quality guard of the API, not of the executor)'],
    ],
  ])('%s', (_what, changes, guards) => expect(view(changes).guards).toEqual(guards));
});

describe('the parameters', () => {
  const params = (now: JsonObject, before: JsonObject | null) => view({ params: now, previousParams: before }).params;
  test('of a first revision: each with its value, none as changed', () => {
    expect(params({ z: 'x', a: { b: [true, null] }, e: [] }, null)).toEqual([
      { at: '/a/b/0', value: 'true' },
      { at: '/a/b/1', value: 'null' },
      { at: '/e', value: '[]' },
      { at: '/z', value: '"x"' },
    ]);
  });
  test('of a later one: those that changed come first, each with what it was', () => {
    expect(params({ a: 1, b: 2, c: 3, d: 'x' }, { a: 1, b: 5, c: 3, gone: null })).toEqual([
      { at: '/b', value: '2', was: '5' },
      { at: '/d', value: '"x"', was: '(absent)' },
      { at: '/gone', value: '(removed)', was: 'null' },
      { at: '/a', value: '1' },
      { at: '/c', value: '3' },
    ]);
  });
  test('attack: a text that looks like a number, or like a mark of ours, is told from it', () => {
    expect(params({ a: '1', b: '(removed)' }, { a: 1, b: '(absent)' })).toEqual([
      { at: '/a', value: '"1"', was: '1' },
      { at: '/b', value: '"(removed)"', was: '"(absent)"' },
    ]);
    expect(params({ a: 1 }, { a: 1 })).toEqual([{ at: '/a', value: '1' }]);
  });
});

describe('everything else is said in words', () => {
  test('how each step is undone', () => {
    const undo = [
      { step: 'book', plan: { undo: 'automatic' } },
      { step: 'ship', plan: { undo: 'by_hand', how: 'Call the warehouse.' } },
      { step: 'send', plan: { undo: 'impossible' } },
    ];
    expect(view({ preview: { ...PREVIEW, undo } }).undo).toEqual([
      { step: 'book', how: 'automatic' },
      { step: 'ship', how: 'by hand: Call the warehouse.' },
      { step: 'send', how: 'impossible' },
    ]);
  });
  test('what changes, from what and to what; what it does not say is left out', () => {
    const changes = [{ what: 'a', from: '1', to: '2' }, { what: 'b', to: '2' }, { what: 'c', from: '1' }, { what: 'd' }];
    expect(view({ preview: { ...PREVIEW, changes } }).changes).toEqual(changes);
  });
  test('what the target must still be like; null where the type says nothing of it', () => {
    const preconditions = [undefined, null, { b: 1, a: [2] }].map(
      (precondition) => view({ preview: { ...PREVIEW, precondition } }).precondition,
    );
    expect(preconditions).toEqual([null, 'null', '{"a":[2],"b":1}']);
  });
  test('who never counts, and why', () => {
    const why = ['owner', 'on_behalf_of', 'editor'];
    expect(view({ exclusions: why.map((each, i) => ({ person: `p${i}`, why: each })) }).neverCounted.map((each) => each.why)).toEqual([
      'owns the agent',
      'is acted for',
      'modified it',
    ]);
  });
  test('whom it may be handed over to, only where it may be', () => {
    expect(view({ delegates: ['eva', 'finn'] }).delegates).toEqual(['eva', 'finn']);
    expect(Object.hasOwn(view(), 'delegates')).toBe(false);
  });
  test('each stage, its reminders and its tiers', () => {
    const stage = {
      name: 's',
      from: ['ana'],
      quorum: 1,
      remind: [MINUTE, HOUR],
      escalate: [
        { after: HOUR, to: ['ben', 'eva'] },
        { after: 2 * HOUR, to: ['cleo'], quorum: 2 },
      ],
    };
    expect(view({ stages: [stage] }).stages).toEqual([
      {
        name: 's',
        quorum: 1,
        people: ['ana'],
        remind: ['1m', '1h'],
        escalate: ['after 1h also ben, eva', 'after 2h also cleo, then 2 must agree'],
      },
    ]);
  });
  test("the agent's own words, with and without a context", () => {
    const said = (proposal: Parameters<typeof request>[0]) => view({ request: request(proposal).signed }).agentSays;
    expect(said({ reason: 'two\nlines' })).toEqual({ reason: 'two\nlines', context: null });
    expect(said({ context: null })).toMatchObject({ context: 'null' });
    expect(said({ context: { b: 1, a: 'x\ny' } })).toMatchObject({ context: '{"a":"x\\ny","b":1}' });
  });
  test('whose request it is', () => {
    expect([view().asks.standing, view({ standing: 'vouched' }).asks.standing]).toEqual([
      "signed with the agent's own key",
      'vouched for by the API: the agent holds only a bearer key',
    ]);
  });
  test('what became of equal content before, and by whom, where somebody did it', () => {
    const actionId = envelope().actionId;
    const earlier = [
      { actionId, status: 'rejected', reason: 'Too much.', by: 'person:ana' },
      { actionId, status: 'expired', reason: 'Nobody decided.', by: null },
    ];
    expect(view({ earlier }).earlier).toEqual([`${actionId} rejected by person:ana: Too much.`, `${actionId} expired: Nobody decided.`]);
  });
});

test('attack case 70: no text of agent, target, policy or reviewer reaches the screen unmarked', () => {
  const evil = (text: string): string => `${text}\u202e`;
  const changes: EnvelopeChanges = {
    request: request({ reason: evil('reason'), context: evil('context') }).signed,
    type: { name: 'payments.transfer', version: evil('1'), schema: '0'.repeat(64) },
    params: { [evil('name')]: evil('value'), same: 1 },
    previousParams: { [evil('name')]: evil('before'), same: 1 },
    summary: evil('summary'),
    preview: {
      changes: [{ what: evil('what'), from: evil('from'), to: evil('to') }],
      touches: [evil('touched')],
      warnings: [evil('warning')],
      precondition: evil('state'),
      undo: [{ step: 'run', plan: { undo: 'by_hand', how: evil('how') } }],
    },
    reasons: [evil('risk')],
    rule: { effect: 'hold', name: evil('rule'), because: evil('because') },
    budget: [{ per: 'all', within: HOUR, sum: evil('/cents'), limit: 1 }],
    guards: { ...GUARDS, confirmField: evil('/cents') },
    earlier: [{ actionId: envelope().actionId, status: evil('expired'), reason: evil('why'), by: evil('ana') }],
  };
  const shown = canonicalize(view(changes));
  expect(shown).not.toContain('\u202e');
  expect(shown.split('‹U+202E›')).toHaveLength(23);
});

test('one envelope, one digest of its view; another word in it, another', () => {
  expect(viewDigestOf(envelope())).toBe(viewDigestOf(envelope()));
  expect(viewDigestOf(envelope({ summary: 'Pay ACME EUR 48000.00' }))).not.toBe(viewDigestOf(envelope()));
});
