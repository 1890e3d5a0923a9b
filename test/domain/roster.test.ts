import { describe, expect, test } from '@jest/globals';
import { executorOf, holderOf, keyValidAt, peopleOf } from '../../src/domain/roster.js';
import { agent, keyOf, keyText, NOW, passkey, person, ROSTER, ROSTER_TEXT, rosterOf } from './policy-fixture.js';

const END = '2026-06-01T00:00:00.000Z';
const people = (refs: string[], roster = ROSTER, now = NOW): string[] => {
  const found = peopleOf(roster, refs, now);
  if (!found.ok) throw new Error(found.missing);
  return found.people;
};

describe('what a roster holds', () => {
  test('its version, deployment and switches; without them no development and localhost', () => {
    expect(ROSTER).toMatchObject({ version: 3, deployment: 'acme-dev', development: false, selfApproval: false });
    expect(ROSTER.webauthn).toEqual({ rpId: 'localhost', origins: ['http://localhost:7878'] });
    const other = rosterOf(
      ROSTER_TEXT.replace(
        'people:',
        'development: true\nselfApproval: true\nwebauthn: { rpId: a.example, origins: [https://a.example] }\npeople:',
      ),
    );
    expect(other).toMatchObject({ development: true, selfApproval: true, webauthn: { rpId: 'a.example', origins: ['https://a.example'] } });
  });

  test('one digest, whatever its comments and layout', () => {
    expect(rosterOf(`# who is who\n${ROSTER_TEXT}`).digest).toBe(ROSTER.digest);
    expect(rosterOf(ROSTER_TEXT.replace('version: 3', 'version: 4')).digest).not.toBe(ROSTER.digest);
  });

  test('an agent has keys, or a bearer key in one of two spellings', () => {
    const digest = '0f'.repeat(32);
    const agents = (how: string) => rosterOf(ROSTER_TEXT.replace(`key: '${keyText('ap-agent')}'`, how)).agents.get(agent('ap-agent'));
    expect(agents(`key: '${keyText('x')}'`)).toMatchObject({
      owner: 'dana',
      keys: [{ key: { id: keyOf(keyText('x')).id } }],
      propose: ['payments.*'],
    });
    expect(agents(`keys: ['${keyText('x')}', '${keyText('y')}']`)?.keys).toHaveLength(2);
    expect(agents(`key: { key: '${keyText('x')}', until: ${END} }`)?.keys[0]?.until).toBe(NOW);
    expect(agents(`key: 'sha256:${digest}'`)).toMatchObject({ keys: [], bearer: digest });
    expect(agents(`bearer: 'sha256:${digest}'`)).toMatchObject({ keys: [], bearer: digest });
  });

  test('an agent has the usual limits, but for those it is given', () => {
    const limits = (given: string) =>
      rosterOf(ROSTER_TEXT.replace(`key: '${keyText('ap-agent')}'`, `key: '${keyText('ap-agent')}'${given}`)).agents.get(agent('ap-agent'))
        ?.limits;
    expect(limits('')).toEqual({ perMinute: 60, pending: 200 });
    expect(limits(', limits: { perMinute: 7 }')).toEqual({ perMinute: 7, pending: 200 });
    expect(limits(', limits: { pending: 9 }')).toEqual({ perMinute: 60, pending: 9 });
    expect(limits(', limits: { perMinute: 1, pending: 2 }')).toEqual({ perMinute: 1, pending: 2 });
  });

  test('a person may have a passkey, and the API several keys', () => {
    const roster = rosterOf(
      ROSTER_TEXT.replace(keyText('ana'), passkey('ana')).replace(
        `key: '${keyText('api')}'`,
        `keys: ['${keyText('api')}', '${keyText('api 2')}']`,
      ),
    );
    expect(roster.people.get(person('ana'))?.keys[0]?.key.algorithm).toBe('es256');
    expect(roster.apiKeys).toHaveLength(2);
  });

  test('only people are required; a name such as "constructor" is a name like any other', () => {
    const small = rosterOf(`schema: keyturn/roster@1\nversion: 1\ndeployment: d\npeople: { constructor: { name: C, keys: [] } }\n`);
    expect([...small.people.keys()]).toEqual(['constructor']);
    expect([small.groups.size, small.agents.size, small.executors.size, small.apiKeys.length]).toEqual([0, 0, 0, 0]);
    expect(peopleOf(small, ['group:constructor'], NOW)).toEqual({ ok: false, missing: 'group:constructor' });
    expect(people(['person:constructor'], small)).toEqual(['constructor']);
  });
});

describe('whose key it is', () => {
  test.each([
    ['ana', { kind: 'person', id: 'ana' }],
    ['ap-agent', { kind: 'agent', id: 'ap-agent' }],
    ['api', { kind: 'api' }],
    ['bank', { kind: 'executor', name: 'bank' }],
  ])('the key of %s', (name, holder) => {
    const { id } = keyOf(keyText(name));
    expect(holderOf(ROSTER, id)).toMatchObject({ ...holder, key: { key: { id } } });
  });

  test('attack case 48: a key the roster does not list belongs to nobody', () => {
    expect(holderOf(ROSTER, keyOf(keyText('mallory')).id)).toBeUndefined();
  });
});

describe('6.4 a key counts from its from until its until', () => {
  const { key } = { key: keyOf(keyText('ana')) };

  test('from inclusive, until exclusive', () => {
    expect([9, 10, 19, 20].map((ms) => keyValidAt({ key, from: 10, until: 20 }, ms))).toEqual([false, true, true, false]);
    expect(keyValidAt({ key }, 0)).toBe(true);
    expect(keyValidAt({ key }, Number.NaN)).toBe(false);
  });

  test('no key outlives its person or agent', () => {
    const until = (keyEnd: string, personEnd: string) =>
      rosterOf(
        ROSTER_TEXT.replace(
          `name: ana, keys: ['${keyText('ana')}']`,
          `name: ana, until: ${personEnd}, keys: [{ key: '${keyText('ana')}', until: ${keyEnd} }]`,
        ),
      ).people.get(person('ana'))?.keys[0]?.until;
    expect(until('2027-01-01T00:00:00.000Z', END)).toBe(NOW);
    expect(until(END, '2027-01-01T00:00:00.000Z')).toBe(NOW);
    const machine = rosterOf(ROSTER_TEXT.replace('propose: [payments.*]', `propose: [payments.*], until: ${END}`)).agents.get(
      agent('ap-agent'),
    );
    expect(machine).toMatchObject({ until: NOW, keys: [{ until: NOW }] });
  });
});

describe('the people behind a reference', () => {
  test('sorted and distinct', () => {
    expect(people(['person:cleo', 'group:finance', 'person:ana', 'group:finance'])).toEqual(['ana', 'ben', 'cleo']);
    expect(people([])).toEqual([]);
  });

  test('attack case 10: nested groups are flattened', () => {
    expect(people(['group:everyone'])).toEqual(['ana', 'ben', 'cleo', 'eve', 'finn']);
  });

  test('those past their until are left out, from that very moment', () => {
    const roster = rosterOf(ROSTER_TEXT.replace('name: ben,', `name: ben, until: ${END},`));
    expect(people(['group:finance', 'person:ben'], roster, NOW - 1)).toEqual(['ana', 'ben', 'cleo']);
    expect(people(['group:finance', 'person:ben'], roster, NOW)).toEqual(['ana', 'cleo']);
  });

  test.each([
    'group:gone',
    'person:gone',
    'finance',
    'ana',
    'group:',
    'person:',
    'Group:finance',
    'group:group:finance',
    'agent:ap-agent',
    'friend:ana',
    '',
    'person:__proto__',
  ])('attack case 9: "%s" is nobody, and said so', (ref) => {
    expect(peopleOf(ROSTER, ['group:finance', ref], NOW)).toEqual({ ok: false, missing: ref });
  });
});

test('groups that name each other are walked once, should a roster ever hold such', () => {
  const groups = new Map([
    ['a', ['group:b', 'ana']],
    ['b', ['group:a', 'group:b']],
  ]);
  expect(people(['group:b', 'group:a'], { ...ROSTER, groups })).toEqual(['ana']);
});

test('one executor runs a type, or none', () => {
  expect(executorOf(ROSTER, 'payments.refund')?.name).toBe('bank');
  expect(executorOf(ROSTER, 'payments.other')).toBeUndefined();
  expect(executorOf(ROSTER, 'payments')).toBeUndefined();
});
