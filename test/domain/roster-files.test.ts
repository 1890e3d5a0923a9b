import { describe, expect, test } from '@jest/globals';
import { toBase64Url } from '../../src/domain/bytes.js';
import { ed25519KeyText } from '../../src/domain/keys.js';
import { problemText } from '../../src/domain/problem.js';
import { parseRoster } from '../../src/domain/roster.js';
import { keyText, passkey, personLine } from './rule-texts.js';

const BEARER = 'ab'.repeat(32);
const GOOD = `schema: keyturn/roster@1
version: 3
deployment: acme-dev
development: true
people:
${personLine('ana')}
${personLine('ben')}
  cleo: { name: Cleo, keys: [{ key: '${passkey('cleo')}', from: 2026-01-01T00:00:00.000Z, until: 2027-01-01T00:00:00.000Z }] }
groups:
  finance: [ana, ben]
  everyone: [group:finance, cleo]
agents:
  ap-agent: { owner: cleo, key: '${keyText('ap-agent')}', propose: [payments.transfer, refunds.*] }
  old-agent: { owner: cleo, bearer: 'sha256:${BEARER}', propose: [payments.transfer], until: 2026-05-01T00:00:00.000Z }
api: { key: '${keyText('api')}' }
executors:
  bank: { runs: [payments.transfer], keys: ['${keyText('bank')}'] }
webauthn: { rpId: example.com, origins: [https://approve.example.com, 'https://example.com:8443'] }
`;

const say = (text: string): string[] => {
  const read = parseRoster(text, 'roster.yaml');
  return read.ok ? [] : read.problems.map((problem) => `${problem.code} ${problemText(problem)}`);
};
const at = (line: number, text: string): string => `roster_invalid roster.yaml:${line}: ${text}`;
const BEN = `keys: ['${keyText('ben')}']`;
const [AP, BANK, API] = [`key: '${keyText('ap-agent')}'`, `keys: ['${keyText('bank')}']`, `key: '${keyText('api')}'`];

test('a valid roster is taken', () => {
  expect(say(GOOD)).toEqual([]);
});

test.each([
  'https://bank.example.com',
  'https://bank.example.com:65535',
  'http://127.0.0.1:7879',
  'http://[::1]:7879',
  'http://localhost:1',
])('a door at %s', (url) => {
  const read = parseRoster(GOOD.replace(BANK, `door: '${url}', ${BANK}`), 'roster.yaml');
  expect(read.ok ? read.roster.executors.get('bank')?.door : read.problems).toBe(url);
});

/** What stands in GOOD, what a hand wrote instead, and what it is told: line, problem, remedy. */
const BROKEN: [title: string, from: string, to: string, said: string][] = [
  ['a typo in a field', 'deployment:', 'deploiment:', at(3, '"deploiment" is no field here: did you mean "deployment"? Write: deployment')],
  ['a typo in a section', 'executors:', 'executers:', at(16, '"executers" is no field here: did you mean "executors"? Write: executors')],
  ['key for keys', BEN, BEN.replace('keys', 'key'), at(7, '"key" is no field here: did you mean "keys"? Write: keys')],
  ['an unknown field', 'name: Cleo,', 'name: Cleo, mail: c@x,', at(8, '"mail" is no field here. Write: one of name, keys, until')],
  ['no deployment', 'deployment: acme-dev\n', '', at(1, 'deployment is missing. Write: deployment: acme-prod')],
  [
    'a deployment in capitals',
    'acme-dev',
    'ACME',
    at(3, 'deployment "ACME" is not a name of lower-case letters, digits, ".", "_" or "-". Write: deployment: acme-prod'),
  ],
  ['a version in quotes', 'version: 3', 'version: "3"', at(2, 'version "3" is not a whole number from 1. Write: version: 1')],
  [
    'another schema',
    'roster@1',
    'roster@2',
    at(1, 'schema "keyturn/roster@2" is not a form this build reads. Write: schema: keyturn/roster@1'),
  ],
  [
    'development as text',
    'development: true',
    'development: yes',
    at(4, 'development "yes" is not true or false. Write: development: false'),
  ],
  [
    'self-approval in production',
    'development: true',
    'selfApproval: true',
    at(4, 'selfApproval needs a development roster. Write: development: true beside it, or selfApproval: false'),
  ],
  [
    'a person in capitals',
    '  ben:',
    '  Ben:',
    at(7, '"Ben" is no name: expected a roster id: lower-case letters, digits, ".", "_" or "-". Write: a name such as ap-agent'),
  ],
  ['a person without a name', 'name: Cleo, ', '', at(8, 'name is missing. Write: name: Ana Lima')],
  [
    'a name of two lines',
    'name: Cleo',
    'name: "Cleo\\nroot"',
    at(8, 'name "Cleo\\nroot" is not a text of one line. Write: name: Ana Lima'),
  ],
  [
    'a key that is none',
    keyText('ben'),
    'ed25519:abc',
    at(
      7,
      'keys "ed25519:abc" is not a usable public key (low-order and malformed ones are refused). Write: ed25519:<SPKI in base64url>, the public half of a key made by `keyturn keys`',
    ),
  ],
  [
    'a key in standard base64',
    keyText('ben'),
    `${keyText('ben')}=`,
    at(7, `keys "${keyText('ben').slice(0, 58)}… is not a usable public key`),
  ],
  [
    'a date for a time',
    'from: 2026-01-01T00:00:00.000Z',
    'from: 2026-01-01',
    at(8, 'from "2026-01-01" is not a UTC time with milliseconds. Write: 2026-01-01T00:00:00.000Z'),
  ],
  ['until before from', 'until: 2027', 'until: 2025', at(8, 'until is not after from. Write: a later until, or an earlier from')],
  [
    'a member nobody knows',
    '[ana, ben]',
    '[ana, bem]',
    at(10, 'no person is called "bem": did you mean "ben"? Write: one of ana, ben, cleo'),
  ],
  [
    'a group nobody knows',
    'group:finance',
    'group:finanse',
    at(11, 'no group is called "finanse": did you mean "finance"? Write: one of finance, everyone'),
  ],
  ['a member twice', '[ana, ben]', '[ana, ana]', at(10, 'ana stands twice in group finance. Write: it once')],
  [
    'a group in itself',
    '[ana, ben]',
    '[ana, group:everyone]',
    at(10, 'group finance contains itself: finance → everyone → finance. Write: group finance without that way back'),
  ],
  [
    'a person: in a group',
    '[ana, ben]',
    '[ana, person:ben]',
    at(10, 'finance "person:ben" is not a person, or group:<another group>. Write: ana, or group:leads'),
  ],
  [
    'an owner nobody knows',
    'owner: cleo, key',
    'owner: clea, key',
    at(13, 'no person is called "clea": did you mean "cleo"? Write: one of ana, ben, cleo'),
  ],
  ['no propose', ', propose: [payments.transfer, refunds.*]', '', at(13, 'propose is missing. Write: propose: [payments.transfer]')],
  ['everything proposed', 'refunds.*', "'*'", at(13, 'propose "*" is not a type or prefix.*. Write: payments.transfer, or payments.*')],
  ['an agent without a key', `${AP}, `, '', at(13, 'agent ap-agent has no key. Write: key: ed25519:…, or bearer: sha256:…')],
  [
    'an agent with key and bearer',
    `${AP}, `,
    `${AP}, bearer: 'sha256:${'cd'.repeat(32)}', `,
    at(13, 'agent ap-agent has key and bearer. Write: one of key, keys and bearer'),
  ],
  [
    'a bearer key in clear',
    `sha256:${BEARER}`,
    'hunter2',
    at(14, 'bearer "hunter2" is not sha256: and 64 lower-case hexadecimal digits. Write: sha256:<SHA-256 of the bearer key, in hex>'),
  ],
  [
    'two agents of one bearer key',
    AP,
    `key: 'sha256:${BEARER}'`,
    at(14, 'agents ap-agent and old-agent share a bearer key. Write: a bearer key of its own for each'),
  ],
  [
    'a passkey for an agent',
    AP,
    `key: '${passkey('ap-agent')}'`,
    at(13, `key "${passkey('ap-agent').slice(0, 58)}… is not a usable Ed25519 key`),
  ],
  [
    'a passkey for an executor',
    BANK,
    `keys: ['${passkey('bank')}']`,
    'roster_invalid roster.yaml:17: keys "passkey:YmZgfn5CRFpaXigmNjoMAhIWEO7u8vTKys7Y1qaqvLI:MFkwEw… is not a usable Ed25519 key (passkeys are for people; low-order keys are refused). Write: ed25519:<SPKI in base64url>, the public half of a key made by `keyturn keys`',
  ],
  [
    'a passkey for the API',
    API,
    `key: '${passkey('api')}'`,
    'roster_invalid roster.yaml:15: key "passkey:YXdndGxKS0FRXjYkNSsLCAAeH_Xl8urIyd_f3LSis6k:MFkwEw… is not a usable Ed25519 key (passkeys are for people; low-order keys are refused). Write: ed25519:<SPKI in base64url>, the public half of a key made by `keyturn keys`',
  ],
  [
    'an executor that runs a family',
    'runs: [payments.transfer]',
    'runs: [payments.*]',
    at(17, 'runs "payments.*" is not the exact name of a type. Write: payments.transfer'),
  ],
  [
    'a type twice',
    'runs: [payments.transfer]',
    'runs: [payments.transfer, payments.transfer]',
    at(17, 'payments.transfer stands twice. Write: each type once, at one executor'),
  ],
  ...[
    'http://bank.example.com:7879',
    'https://bank.example.com/v1',
    'https://user:pass@bank.example.com',
    'http://127.0.0.1.example.com',
    'https://bank.example.com:65536',
    'ftp://127.0.0.1',
    'https://-',
  ].map((url): (typeof BROKEN)[number] => [
    `a door at ${url}`,
    BANK,
    `door: '${url}', ${BANK}`,
    'is not an address: https, or http on this machine; scheme, host and port, no path. Write: door: https://bank-executor.example.com:7879',
  ]),
  [
    'two executors of one type',
    '  bank:',
    `  other: { runs: [payments.transfer], keys: ['${keyText('other')}'] }\n  bank:`,
    at(18, 'payments.transfer is run by other already. Write: each type once, at one executor'),
  ],
  [
    'an executor without a key',
    BANK,
    'keys: []',
    at(17, 'keys must have at least 1. Write: keys: [ed25519:<SPKI in base64url>, the public half of a key made by `keyturn keys`]'),
  ],
  [
    'an origin with a path',
    'https://approve.example.com,',
    'https://approve.example.com/x,',
    at(18, 'origins "https://approve.example.com/x" is not an origin: scheme, host and port, no path. Write: https://approve.example.com'),
  ],
  [
    'an origin elsewhere',
    'https://approve.example.com,',
    'https://example.com.evil.org,',
    at(18, '"https://example.com.evil.org" is neither at nor below the rpId example.com. Write: https://example.com'),
  ],
  [
    'an origin without TLS',
    'https://approve.example.com,',
    'http://approve.example.com,',
    at(18, '"http://approve.example.com" is not https. Write: https://approve.example.com'),
  ],
  [
    'people as a list',
    'people:\n',
    'people: []\nx:\n',
    at(5, 'people [] is not a set of fields. Write: people: { ana: { name: Ana Lima, keys: [ed25519:…] } }'),
  ],
  ['a person twice', '  ben:', '  ana:', at(7, 'the key "ana" stands twice. Write: it once')],
];

describe('9 a typo in the roster is told with file, line and what to write', () => {
  test.each(BROKEN)('%s', (_title, from, to, said) => {
    const text = GOOD.replace(from, to);
    expect(text).not.toBe(GOOD);
    expect(say(text).join('\n')).toContain(said);
  });

  test('all mistakes are told at once, from top to bottom', () => {
    const said = say(
      GOOD.replace('[ana, ben]', '[ana, bem]')
        .replace('owner: cleo, key', 'owner: clea, key')
        .replace('development: true', 'selfApproval: true'),
    );
    expect(said.map((line) => /yaml:(\d+)/.exec(line)?.[1])).toEqual(['4', '10', '13']);
  });

  test('longer cycles of groups are found from each of their groups, others not blamed', () => {
    const said = say(GOOD.replace('finance: [ana, ben]', 'finance: [group:b]\n  b: [group:c]\n  c: [group:b, ana]'));
    expect(said).toEqual([
      expect.stringContaining('roster_invalid roster.yaml:11: group b contains itself: b → c → b. Write: group b without that way back'),
      expect.stringContaining('roster_invalid roster.yaml:12: group c contains itself: c → b → c. Write: group c without that way back'),
    ]);
    expect(say(GOOD.replace('[ana, ben]', '[ana, group:finance]'))[0]).toContain(
      'roster_invalid roster.yaml:10: group finance contains itself: finance → finance. Write: group finance without that way back',
    );
  });
});

describe('attack case 6: one key, one holder', () => {
  const ana = keyText('ana');
  const holders: [string, string, string][] = [
    [
      'another person',
      keyText('ben'),
      'roster_invalid roster.yaml:7: this key of person ben is enrolled for person ana already. Write: a key of its own for each; one key stands once',
    ],
    [
      'an agent',
      keyText('ap-agent'),
      'roster_invalid roster.yaml:13: this key of agent ap-agent is enrolled for person ana already. Write: a key of its own for each; one key stands once',
    ],
    [
      'the API',
      keyText('api'),
      'roster_invalid roster.yaml:15: this key of the API is enrolled for person ana already. Write: a key of its own for each; one key stands once',
    ],
    [
      'an executor',
      keyText('bank'),
      'roster_invalid roster.yaml:17: this key of executor bank is enrolled for person ana already. Write: a key of its own for each; one key stands once',
    ],
  ];
  test.each(holders)("a person's key is refused for %s", (_who, key, said) => {
    expect(say(GOOD.replace(key, ana))).toEqual([expect.stringContaining(said)]);
  });

  test('twice for one person, also with other times', () => {
    const twice = GOOD.replace(BEN, `keys: ['${keyText('ben')}', { key: '${keyText('ben')}', until: 2027-01-01T00:00:00.000Z }]`);
    expect(say(twice)).toEqual([
      expect.stringContaining(
        'roster_invalid roster.yaml:7: this key of person ben is enrolled for person ben already. Write: a key of its own for each; one key stands once',
      ),
    ]);
  });

  test('a passkey under another credential id is still the same key', () => {
    expect(say(GOOD.replace(keyText('ben'), passkey('cleo', 'another credential')))[0]).toContain(
      'roster_invalid roster.yaml:8: this key of person cleo is enrolled for person ben already. Write: a key of its own for each; one key stands once',
    );
  });

  test('agent and executor, API and executor', () => {
    expect(say(GOOD.replace(keyText('bank'), keyText('ap-agent')))[0]).toContain(
      'this key of executor bank is enrolled for agent ap-agent already',
    );
    expect(say(GOOD.replace(API, `keys: ['${keyText('api')}', '${keyText('bank')}']`))[0]).toContain(
      'roster_invalid roster.yaml:17: this key of executor bank is enrolled for the API already. Write: a key of its own for each; one key stands once',
    );
    const many = GOOD.replace(AP, `keys: ['${keyText('ap-agent')}', '${keyText('bank')}']`);
    expect(say(many)[0]).toContain('this key of executor bank is enrolled for agent ap-agent already');
  });
});

describe('attack case 42: a low-order Ed25519 key is never enrolled', () => {
  const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const LOW_ORDER = [
    `01${'00'.repeat(31)}`,
    `ec${'ff'.repeat(30)}7f`,
    '00'.repeat(32),
    `${'00'.repeat(31)}80`,
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    `01${'00'.repeat(30)}80`,
    `ee${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`,
  ];
  test.each(LOW_ORDER)('%s', (point) => {
    const low = ed25519KeyText(hex(point));
    for (const key of [keyText('ana'), keyText('ap-agent'), keyText('api'), keyText('bank')])
      expect(say(GOOD.replace(key, low))[0]).toContain('low-order');
  });

  test('nor a key with stray bytes around it', () => {
    const spki = `ed25519:${toBase64Url(new Uint8Array(45))}`;
    expect(say(GOOD.replace(keyText('ana'), spki))[0]).toContain(
      'roster_invalid roster.yaml:6: keys "ed25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA… is not a usable public key (low-order and malformed ones are refused). Write: ed25519:<SPKI in base64url>, the public half of a key made by `keyturn keys`',
    );
  });
});
