import { describe, expect, test } from '@jest/globals';
import { CLOCK_SKEW_MS } from '../../src/domain/admit.js';
import { CODES } from '../../src/domain/codes.js';
import { digestOfSigned, type Signed } from '../../src/domain/dsse.js';
import { toInstant } from '../../src/domain/instant.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import type { Read } from '../../src/domain/signed-message.js';
import { isByRoster, readCancel, readFreeze, readResolve, readThaw, stopMessageIn, type StopMessage } from '../../src/domain/stops.js';
import { HOUR, MINUTE, OPENED, ring, seal } from '../helpers/hand-made.js';
import { approve, ask, cancel, damaged, freeze, modify, reject, resolve, thaw, withdraw } from '../helpers/messages.js';
import { rosterText, usualAgents, type RosterOptions } from '../helpers/rules-fixture.js';
import { AGENT, API, EXECUTOR, keyOfPerson, signerOf } from '../helpers/signers.js';

const SEALED = seal();
const { id } = SEALED;
const at = OPENED + HOUR;
const DEPLOYMENT = SEALED.envelope.deployment;

function roster(options: RosterOptions = {}): Roster {
  const read = parseRoster(rosterText(options), 'roster.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.roster;
}
const ROSTER = roster();
const RING = ring();
const FROZEN = freeze('cleo', { all: true }, { at });
/** What becomes of it, to the word. */
const said = (read: Read<unknown>): string => (read.ok ? 'believed' : `${read.refusal.code}: ${read.refusal.text}`);
const plain = (code: keyof typeof CODES): string => `${code}: ${CODES[code].message}`;

describe('a cancel', () => {
  const read = (signed: Signed, by = ROSTER, agent = 'ap-agent', now = at): string =>
    said(readCancel(signed, by, { actionId: id, agent }, now));
  test('by the agent, by its owner, or by the API for an agent that holds a bearer key', () => {
    const own = cancel(id, { at });
    const found = readCancel(own, ROSTER, { actionId: id, agent: 'ap-agent' }, at);
    expect(found).toMatchObject({ ok: true, value: { actionId: id, by: 'agent:ap-agent' }, digest: digestOfSigned(own) });
    expect(read(cancel(id, { at }))).toBe('believed');
    expect(read(cancel(id, { at, by: keyOfPerson('dana') }, 'person:dana'))).toBe('believed');
    expect(read(cancel(id, { at, by: API }, 'agent:bearer-agent'), ROSTER, 'bearer-agent')).toBe('believed');
  });
  const refused = 'credential_invalid: only the agent or its owner cancels';
  test('attack: by nobody else, whatever the message calls itself', () => {
    for (const by of [API, EXECUTOR, keyOfPerson('dana'), keyOfPerson('ana')]) expect(read(cancel(id, { at, by }))).toBe(refused);
    for (const by of [AGENT, API, keyOfPerson('ana')]) expect(read(cancel(id, { at, by }, 'person:dana'))).toBe(refused);
    expect(read(cancel(id, { at, by: keyOfPerson('ana') }, 'person:ana'))).toBe(refused);
    expect(read(cancel(id, { at, by: AGENT }, 'agent:bearer-agent'), ROSTER, 'bearer-agent')).toBe(refused);
    expect(read(cancel(id, { at }), ROSTER, 'bearer-agent')).toBe(refused);
    expect(read(damaged(cancel(id, { at })))).toBe(refused);
  });
  test('attack: another agent signs with its own key, or says it is the one', () => {
    const other = signerOf('agent:other');
    const two = roster({ agents: [...usualAgents(), `other: { owner: ana, key: '${other.key.text}', propose: [payments.*] }`] });
    expect(read(cancel(id, { at, by: other }), two)).toBe(refused);
    expect(read(cancel(id, { at, by: other }, 'agent:other'), two)).toBe(refused);
    expect(read(cancel(id, { at, by: keyOfPerson('ana') }, 'person:ana'), two)).toBe(refused);
  });
  test('attack: a person of the agent’s name, or an agent of its owner’s', () => {
    const namesake = signerOf('person:ap-agent');
    const people = { 'ap-agent': `{ name: Somebody, keys: ['${namesake.key.text}'] }` };
    expect(read(cancel(id, { at, by: namesake }), roster({ people }))).toBe(refused);
    const other = signerOf('agent:dana');
    const agents = [...usualAgents(), `dana: { owner: ana, key: '${other.key.text}', propose: [payments.*] }`];
    expect(read(cancel(id, { at, by: other }, 'person:dana'), roster({ agents }))).toBe(refused);
  });
  test('a key nobody has, an agent nobody has, a key not valid then or not now', () => {
    expect(read(cancel(id, { at, by: signerOf('stranger') }))).toBe(plain('credential_invalid'));
    expect(read(cancel(id, { at }), ROSTER, 'nobody')).toBe(plain('credential_invalid'));
    const ended = roster({ people: { dana: `{ name: dana, keys: ['${keyOfPerson('dana').key.text}'], until: '${toInstant(at)}' }` } });
    const byOwner = cancel(id, { at: at - 1, by: keyOfPerson('dana') }, 'person:dana');
    expect(read(byOwner, ended, 'ap-agent', at - 1)).toBe('believed');
    expect(read(byOwner, ended, 'ap-agent', at)).toBe(plain('credential_invalid'));
    const dated = cancel(id, { at, by: keyOfPerson('dana') }, 'person:dana');
    expect(read(dated, ended, 'ap-agent', at - 1)).toBe(plain('credential_invalid'));
  });
  test('of another action or deployment, or no cancel at all', () => {
    expect(read(cancel(seal({ actionId: `act_${'0'.repeat(26)}` }).id, { at }))).toBe(plain('audience_mismatch'));
    expect(said(readCancel(cancel(id, { at }), { ...ROSTER, deployment: 'acme-prod' }, { actionId: id, agent: 'ap-agent' }, at))).toBe(
      plain('audience_mismatch'),
    );
    expect(read(freeze('cleo', { all: true }, { at }))).toBe('request_invalid: not a cancel: see the schema of cancel v1');
  });
});

describe('a freeze and a thaw', () => {
  const thawed = thaw('cleo', FROZEN, { at });
  const kinds = [
    {
      kind: 'freeze',
      read: readFreeze,
      good: FROZEN,
      other: thawed,
      make: (options: Parameters<typeof freeze>[2]) => freeze('cleo', { all: true }, options),
    },
    {
      kind: 'thaw',
      read: readThaw,
      good: thawed,
      other: FROZEN,
      make: (options: Parameters<typeof thaw>[2]) => thaw('cleo', FROZEN, options),
    },
  ] as const;
  test.each(kinds)('$kind: by a person whose key stands in the ring', ({ read, good }) => {
    expect(read(good, RING, DEPLOYMENT, at)).toMatchObject({ ok: true, value: { by: 'cleo' }, digest: digestOfSigned(good) });
  });
  test.each(kinds)(
    'attack: $kind by another key, changed, of another deployment, ahead of its time, or of another kind',
    ({ kind, read, good, other, make }) => {
      const of = (signed: Signed, deployment = DEPLOYMENT, now = at): string => said(read(signed, RING, deployment, now));
      expect(of(damaged(good))).toBe(plain('signature_invalid'));
      for (const by of [keyOfPerson('ana'), AGENT, EXECUTOR, signerOf('stranger')])
        expect(of(make({ at, by }))).toBe(plain('signature_invalid'));
      expect(of(good, 'acme-prod')).toBe(plain('audience_mismatch'));
      expect(of(other)).toBe(`request_invalid: not a ${kind}: see the schema of ${kind} v1`);
      expect(of(make({ at: at + CLOCK_SKEW_MS }))).toBe('believed');
      expect(of(make({ at: at + CLOCK_SKEW_MS + 1 }))).toBe(plain('signature_invalid'));
    },
  );
  test('a key not valid then, or not now', () => {
    const [keyId, key] = [...RING].find(([, { person }]) => person === 'cleo') ?? [];
    if (keyId === undefined || key === undefined) throw new Error('cleo has no key');
    const during = new Map([[keyId, { ...key, from: at, until: at + HOUR }]]);
    const of = (made: number, now: number): string =>
      said(readFreeze(freeze('cleo', { all: true }, { at: made }), during, DEPLOYMENT, now));
    expect(of(at, at)).toBe('believed');
    expect(of(at - 1, at)).toBe(plain('signature_invalid'));
    expect(of(at, at - 1)).toBe(plain('signature_invalid'));
    expect(of(at + HOUR - 1, at + HOUR - 1)).toBe('believed');
    expect(of(at + HOUR - 1, at + HOUR)).toBe(plain('signature_invalid'));
    expect(said(readFreeze(FROZEN, new Map([[keyId, { ...key, key: () => undefined }]]), DEPLOYMENT, at))).toBe(plain('signature_invalid'));
  });
});

describe('a resolve', () => {
  const made = resolve('eva', id, 1, 'happened', { at });
  const read = (signed: Signed, rings = [RING, RING], envelope = SEALED.envelope): string => said(readResolve(signed, envelope, rings, at));
  test('by whom the sealed rule names, whose key stands in every ring', () => {
    expect(readResolve(made, SEALED.envelope, [RING], at)).toMatchObject({
      ok: true,
      value: { by: 'eva', step: 1 },
      digest: digestOfSigned(made),
    });
    expect(read(made, [RING, ring(['ana'])])).toBe(plain('signature_invalid'));
    expect(read(made, [ring(['ana']), RING])).toBe(plain('signature_invalid'));
  });
  test('attack: by others, changed, of another action or deployment, or of another kind', () => {
    expect(read(resolve('ana', id, 1, 'happened', { at }))).toBe('not_eligible: ana is not among those who may resolve this');
    expect(read(resolve('eva', id, 1, 'happened', { at, by: keyOfPerson('ana') }))).toBe(plain('signature_invalid'));
    expect(read(damaged(made))).toBe(plain('signature_invalid'));
    expect(read(made, [RING], { ...SEALED.envelope, deployment: 'acme-prod' })).toBe(plain('audience_mismatch'));
    expect(read(made, [RING], seal({ actionId: `act_${'0'.repeat(26)}` }).envelope)).toBe(plain('audience_mismatch'));
    expect(read(cancel(id, { at }))).toBe('request_invalid: not a resolve: see the schema of resolve v1');
  });
});

describe("what the executor's own door takes", () => {
  const no = reject('ana', SEALED, { at: at - MINUTE });
  const stops: readonly { readonly signed: Signed; readonly message: StopMessage; readonly kind: StopMessage['kind'] }[] = [
    { kind: 'reject', signed: no, message: { kind: 'reject', actionId: id } },
    { kind: 'withdraw', signed: withdraw('ana', SEALED, no, { at }), message: { kind: 'withdraw', actionId: id } },
    { kind: 'cancel', signed: cancel(id, { at }), message: { kind: 'cancel', actionId: id } },
    { kind: 'freeze', signed: FROZEN, message: { kind: 'freeze', actionId: null } },
  ];
  test.each(stops)('$kind is a stop', ({ signed, message }) => {
    expect(stopMessageIn(signed)).toEqual(message);
  });
  test.each([
    ['approve', approve('ana', SEALED, { at })],
    ['modify', modify('ana', SEALED, { '/cents': 1 }, { at })],
    ['ask', ask('ana', SEALED, 'Why?', { at })],
    ['thaw', thaw('cleo', FROZEN, { at })],
    ['resolve', resolve('eva', id, 1, 'happened', { at })],
    ['a request', SEALED.envelope.request],
  ])('attack: %s, which lets something go on, is none', (_, signed) => {
    expect(stopMessageIn(signed)).toBeUndefined();
  });
  test.each(stops)('$kind by a key of the roster, as it was signed and as what it is', ({ signed, message }) => {
    expect(isByRoster(signed, message, ROSTER)).toBe(true);
    expect(isByRoster(damaged(signed), message, ROSTER)).toBe(false);
    for (const { kind } of stops) {
      const same = kind === message.kind || (/reject|withdraw/.test(kind) && /reject|withdraw/.test(message.kind));
      expect(isByRoster(signed, { ...message, kind }, ROSTER)).toBe(same);
    }
  });
  test('attack: by a stranger, or by an executor, which stops nothing', () => {
    for (const by of [signerOf('stranger'), EXECUTOR]) {
      const signed = freeze('cleo', { all: true }, { at, by });
      expect(isByRoster(signed, { kind: 'freeze', actionId: null }, ROSTER)).toBe(false);
    }
    for (const by of [AGENT, API]) expect(isByRoster(cancel(id, { at, by }), { kind: 'cancel', actionId: id }, ROSTER)).toBe(true);
  });
});
