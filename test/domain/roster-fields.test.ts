import { describe, expect, test } from '@jest/globals';
import { parseRoster } from '../../src/domain/roster.js';
import { keyText, passkey } from './rule-texts.js';

const BEARER = 'ab'.repeat(32);
const key = (name: string): string => `'${keyText(name)}'`;
/** Every field a roster may have, one a line, so that each can be written wrongly. */
const FULL = `schema: keyturn/roster@1
version: 3
deployment: acme-dev
development: true
selfApproval: false
webauthn:
  rpId: example.com
  origins:
    - https://approve.example.com
    - 'https://example.com:8443'
people:
  ana:
    name: Ana Lima
    keys:
      - ${key('ana')}
      - key: '${passkey('ana')}'
        from: 2026-01-01T00:00:00.000Z
        until: 2027-01-01T00:00:00.000Z
    until: 2028-01-01T00:00:00.000Z
  ben:
    name: Ben
    keys: []
groups:
  finance:
    - ana
    - ben
  everyone:
    - group:finance
agents:
  ap-agent:
    owner: ana
    key: ${key('ap-agent')}
    propose:
      - payments.transfer
      - refunds.*
    until: 2029-01-01T00:00:00.000Z
    limits:
      perMinute: 7
      pending: 8
  old-agent:
    owner: ben
    bearer: 'sha256:${BEARER}'
    propose: [secrets.rotate]
  two-keys:
    owner: ben
    keys:
      - ${key('agent one')}
      - ${key('agent two')}
    propose: [mail.send]
api:
  keys:
    - ${key('api')}
    - ${key('api two')}
executors:
  bank:
    runs:
      - payments.transfer
      - payments.refund
    keys:
      - ${key('bank')}
    door: https://bank.example.com:7879
  mailer:
    runs: [mail.send]
    keys: [${key('mailer')}]
`;
const say = (text: string): string[] => {
  const read = parseRoster(text, 'roster.yaml');
  return read.ok ? [] : read.problems.map(({ code, line, text: said, write }) => `${code} ${line} ${said} → ${write}`);
};
/** The line of `FULL` on which these words begin. */
const lineOf = (words: string): number => FULL.slice(0, FULL.indexOf(words)).split('\n').length;

const FIELDS = 'is not a set of fields';
const ID = 'is not a name of lower-case letters, digits, ".", "_" or "-"';
const TIME = 'is not a UTC time with milliseconds';
const KEY = 'ed25519:<SPKI in base64url>, the public half of a key made by `keyturn keys`';
const MACHINE = 'is not a usable Ed25519 key (passkeys are for people; low-order keys are refused)';
const NO_DOOR = 'is not an address: https, or http on this machine; scheme, host and port, no path';
const DOOR = 'door: https://bank-executor.example.com:7879';

/** What stands in `FULL`, what a hand wrote in its place, and what it is told. */
const WRONG: [right: string, wrong: string, said: string, write: string][] = [
  ['schema: keyturn/roster@1', 'schema: 1', 'schema 1 is not a form this build reads', 'schema: keyturn/roster@1'],
  ['version: 3', 'version: 0', 'version 0 is not a whole number from 1', 'version: 1'],
  ['deployment: acme-dev', 'deployment: Acme', `deployment "Acme" ${ID}`, 'deployment: acme-prod'],
  ['development: true', 'development: 1', 'development 1 is not true or false', 'development: false'],
  ['selfApproval: false', 'selfApproval: 1', 'selfApproval 1 is not true or false', 'selfApproval: false'],
  ['rpId: example.com', 'rpId: Example.com', 'rpId "Example.com" is not a host name', 'rpId: approve.example.com'],
  ['rpId: example.com', 'rpId: example.com.', 'rpId "example.com." is not a host name', 'rpId: approve.example.com'],
  ['rpId: example.com', 'rpId: .example.com', 'rpId ".example.com" is not a host name', 'rpId: approve.example.com'],
  [
    'https://approve.example.com',
    'approve.example.com',
    'origins "approve.example.com" is not an origin: scheme, host and port, no path',
    'https://approve.example.com',
  ],
  [
    'https://approve.example.com',
    'a https://approve.example.com',
    'origins "a https://approve.example.com" is not an origin: scheme, host and port, no path',
    'https://approve.example.com',
  ],
  [
    "'https://example.com:8443'",
    "'https://example.com:'",
    'origins "https://example.com:" is not an origin: scheme, host and port, no path',
    'https://approve.example.com',
  ],
  [
    "'https://example.com:8443'",
    "'https://example.com:123456'",
    'origins "https://example.com:123456" is not an origin: scheme, host and port, no path',
    'https://approve.example.com',
  ],
  ['name: Ana Lima', 'name: 5', 'name 5 is not a text of one line', 'name: Ana Lima'],
  ['name: Ana Lima', 'name: "a\\tb"', 'name "a\\tb" is not a text of one line', 'name: Ana Lima'],
  ['name: Ana Lima', `name: ${'x'.repeat(101)}`, `name "${'x'.repeat(58)}… is not a text of one line`, 'name: Ana Lima'],
  [`      - ${key('ana')}`, '      - ~', 'keys (empty) is not a usable public key (low-order and malformed ones are refused)', KEY],
  [`      - ${key('ana')}`, '      - 5', 'keys 5 is not a usable public key (low-order and malformed ones are refused)', KEY],
  [
    `key: '${passkey('ana')}'`,
    'key: passkey:x',
    'key "passkey:x" is not a usable public key (low-order and malformed ones are refused)',
    KEY,
  ],
  ['from: 2026-01-01T00:00:00.000Z', 'from: 2026-02-30', `from "2026-02-30" ${TIME}`, '2026-03-02T00:00:00.000Z'],
  ['from: 2026-01-01T00:00:00.000Z', 'from: 1969-12-31', `from "1969-12-31" ${TIME}`, '2026-01-31T09:30:00.000Z'],
  ['from: 2026-01-01T00:00:00.000Z', 'from: 1970-01-01', `from "1970-01-01" ${TIME}`, '1970-01-01T00:00:00.000Z'],
  ['from: 2026-01-01T00:00:00.000Z', 'from: new year', `from "new year" ${TIME}`, '2026-01-31T09:30:00.000Z'],
  ['from: 2026-01-01T00:00:00.000Z', 'from: 2026', `from 2026 ${TIME}`, '2026-01-31T09:30:00.000Z'],
  ['until: 2027-01-01T00:00:00.000Z', 'until: 2025-06-01T00:00:00.000Z', 'until is not after from', 'a later until, or an earlier from'],
  ['until: 2027-01-01T00:00:00.000Z', 'until: 2026-01-01T00:00:00.000Z', 'until is not after from', 'a later until, or an earlier from'],
  ['until: 2028-01-01T00:00:00.000Z', 'until: never', `until "never" ${TIME}`, '2026-01-31T09:30:00.000Z'],
  ['    keys: []', '    keys: none', 'keys "none" is not a list', `keys: [${KEY}]`],
  ['    - ana\n', '    - Ana\n', 'finance "Ana" is not a person, or group:<another group>', 'ana, or group:leads'],
  [
    '    - group:finance',
    '    - a group:finance',
    'everyone "a group:finance" is not a person, or group:<another group>',
    'ana, or group:leads',
  ],
  [
    '    - group:finance',
    '    - agroup:finance',
    'everyone "agroup:finance" is not a person, or group:<another group>',
    'ana, or group:leads',
  ],
  ['    - group:finance', '    - 5', 'everyone 5 is not a person, or group:<another group>', 'ana, or group:leads'],
  ['    owner: ana', '    owner: Ana', `owner "Ana" ${ID}`, 'owner: dana'],
  [
    `key: ${key('ap-agent')}`,
    'key: hunter2',
    `key "hunter2" ${MACHINE}, nor sha256: and 64 lower-case hexadecimal digits`,
    `${KEY}; or sha256:<SHA-256 of a bearer key, in hex>`,
  ],
  [`key: ${key('ap-agent')}`, `key: { key: '${passkey('x')}' }`, `key "${passkey('x').slice(0, 58)}… ${MACHINE}`, KEY],
  [
    '      - payments.transfer\n      - refunds.*',
    '      - pay*\n      - refunds.*',
    'propose "pay*" is not a type or prefix.*',
    'payments.transfer, or payments.*',
  ],
  ['propose: [secrets.rotate]', 'propose: []', 'propose must have at least 1', 'propose: [payments.transfer]'],
  ['    limits:\n      perMinute: 7\n      pending: 8', '    limits: 7', `limits 7 ${FIELDS}`, 'limits: { perMinute: 60, pending: 200 }'],
  ['perMinute: 7', 'perMinute: 0', 'perMinute 0 is not a whole number from 1 to 1000000', 'perMinute: 60'],
  ['perMinute: 7', 'perMinute: 1000001', 'perMinute 1000001 is not a whole number from 1 to 1000000', 'perMinute: 60'],
  ['pending: 8', 'pending: few', 'pending "few" is not a whole number from 1 to 1000000', 'pending: 200'],
  [
    `bearer: 'sha256:${BEARER}'`,
    `bearer: 'abcdef0${BEARER}'`,
    `bearer "abcdef0${BEARER.slice(0, 51)}… is not sha256: and 64 lower-case hexadecimal digits`,
    'sha256:<SHA-256 of the bearer key, in hex>',
  ],
  [
    `bearer: 'sha256:${BEARER}'`,
    `bearer: '${BEARER}'`,
    `bearer "${BEARER.slice(0, 58)}… is not sha256: and 64 lower-case hexadecimal digits`,
    'sha256:<SHA-256 of the bearer key, in hex>',
  ],
  [
    `bearer: 'sha256:${BEARER}'`,
    `bearer: 'a sha256:${BEARER}'`,
    `bearer "a sha256:${BEARER.slice(0, 49)}… is not sha256: and 64 lower-case hexadecimal digits`,
    'sha256:<SHA-256 of the bearer key, in hex>',
  ],
  [`      - ${key('agent two')}`, `      - '${passkey('x')}'`, `keys "${passkey('x').slice(0, 58)}… ${MACHINE}`, KEY],
  [`    - ${key('api')}`, '    - 5', `keys 5 ${MACHINE}`, KEY],
  ['      - payments.refund', '      - payments.*', 'runs "payments.*" is not the exact name of a type', 'payments.transfer'],
  ['runs: [mail.send]', 'runs: []', 'runs must have at least 1', 'runs: [payments.transfer]'],
  [`keys: [${key('mailer')}]`, 'keys: []', 'keys must have at least 1', `keys: [${KEY}]`],
  ['door: https://bank.example.com:7879', 'door: 7879', `door 7879 ${NO_DOOR}`, DOOR],
];

describe('a value of the wrong kind is told with its line and what to write', () => {
  test('the roster itself has none', () => expect(say(FULL)).toEqual([]));

  test.each(WRONG.map(([right, wrong, said, write]) => [said, right, wrong, write]))('%s', (said, right, wrong, write) => {
    expect(FULL).toContain(right);
    const line = lineOf(right);
    expect(say(FULL.replace(right, wrong))).toEqual([`roster_invalid ${line} ${said} → ${write}`]);
  });

  const PEOPLE = 'schema: keyturn/roster@1\nversion: 1\ndeployment: d\npeople: { ana: { name: Ana, keys: [] } }\n';
  test.each([
    ['the whole file', 'just text\n', 'the file "just text" is not a set of fields', 'schema: keyturn/roster@1 and what it needs'],
    [
      'people',
      PEOPLE.replace(/people: .*/, 'people: ana'),
      'people "ana" is not a set of fields',
      'people: { ana: { name: Ana Lima, keys: [ed25519:…] } }',
    ],
    [
      'a person',
      PEOPLE.replace(/people: .*/, 'people: { ana: Ana }'),
      'ana "Ana" is not a set of fields',
      '{ name: Ana Lima, keys: [ed25519:…] }',
    ],
    ['keys of a person', PEOPLE.replace('keys: []', 'keys: [{}]'), 'key is missing', KEY],
    ['groups', `${PEOPLE}groups: ana\n`, 'groups "ana" is not a set of fields', 'groups: { finance: [ana, ben] }'],
    ['a group', `${PEOPLE}groups: { finance: ana }\n`, 'finance "ana" is not a list', '[ana, ben]'],
    [
      'the name of a group',
      `${PEOPLE}groups: { Finance: [ana] }\n`,
      '"Finance" is no name: expected lower-case letters, digits, ".", "_" or "-"',
      'a name such as ap-agent',
    ],
    [
      'agents',
      `${PEOPLE}agents: x\n`,
      'agents "x" is not a set of fields',
      'agents: { ap-agent: { owner: dana, key: ed25519:…, propose: [payments.transfer] } }',
    ],
    [
      'an agent',
      `${PEOPLE}agents: { x: y }\n`,
      'x "y" is not a set of fields',
      '{ owner: dana, key: ed25519:…, propose: [payments.transfer] }',
    ],
    ['keys of an agent', `${PEOPLE}agents: { x: { owner: ana, keys: [], propose: [a] } }\n`, 'keys must have at least 1', `keys: [${KEY}]`],
    [
      'propose',
      `${PEOPLE}agents: { x: { owner: ana, key: ${key('x')}, propose: a } }\n`,
      'propose "a" is not a list',
      'propose: [payments.transfer]',
    ],
    ['the API', `${PEOPLE}api: x\n`, 'api "x" is not a set of fields', 'api: { key: ed25519:… }'],
    ['keys of the API', `${PEOPLE}api: { keys: [] }\n`, 'keys must have at least 1', `keys: [${KEY}]`],
    [
      'executors',
      `${PEOPLE}executors: x\n`,
      'executors "x" is not a set of fields',
      'executors: { bank: { runs: [payments.transfer], keys: [ed25519:…] } }',
    ],
    ['an executor', `${PEOPLE}executors: { x: y }\n`, 'x "y" is not a set of fields', '{ runs: [payments.transfer], keys: [ed25519:…] }'],
    [
      'webauthn',
      `${PEOPLE}webauthn: x\n`,
      'webauthn "x" is not a set of fields',
      'webauthn: { rpId: approve.example.com, origins: [https://approve.example.com] }',
    ],
    [
      'origins',
      `${PEOPLE}webauthn: { rpId: a.example, origins: [] }\n`,
      'origins must have at least 1',
      'origins: [https://approve.example.com]',
    ],
  ])('%s', (_what, text, said, write) => {
    expect(say(text)[0]?.replace(/^roster_invalid \d+ /, '')).toBe(`${said} → ${write}`);
  });
});

describe('what is taken', () => {
  test.each([
    ['a host of one letter', 'https://bank.example.com:7879', 'https://a'],
    ['a host with digits and hyphens', 'https://bank.example.com:7879', 'https://a-1.b-2'],
    ['the last port', 'https://bank.example.com:7879', 'https://bank.example.com:65535'],
    ['this machine by name, over http', 'https://bank.example.com:7879', 'http://localhost:7879'],
    ['this machine without a port', 'https://bank.example.com:7879', 'http://127.0.0.1'],
    ['an agent at the most', 'perMinute: 7\n      pending: 8', 'perMinute: 1000000\n      pending: 1'],
    ['a name of 100 characters', 'name: Ana Lima', `name: ${'x'.repeat(100)}`],
    ['a bearer key written as key', `bearer: 'sha256:${BEARER}'`, `key: 'sha256:${BEARER}'`],
    ['self-approval on a development roster', 'selfApproval: false', 'selfApproval: true'],
    ['a key with an end alone', `      - ${key('ana')}`, `      - { key: ${key('ana')}, until: 2026-01-01T00:00:00.000Z }`],
    ['a key with times', `key: ${key('ap-agent')}`, `key: { key: ${key('ap-agent')}, from: 2026-01-01T00:00:00.000Z }`],
    ['one key for the API', `  keys:\n    - ${key('api')}\n    - ${key('api two')}`, `  key: ${key('api')}`],
    ['a name of digits', 'deployment: acme-dev', "deployment: '7'"],
  ])('%s', (_what, right, wrong) => {
    expect(FULL).toContain(right);
    expect(say(FULL.replace(right, wrong))).toEqual([]);
  });

  test.each([
    'https://bank.example.com:0',
    'https://bank.example.com:07879',
    'https://bank.example.com:65536',
    'https://bank.example.com:99999',
    'https://bank.example.com:',
    'https://bank.example.com:7879/',
    'https://bank..example.com/',
    'https://bank.example.com.',
    'https://.bank.example.com',
    'https://Bank.example.com',
    'https://',
    'a https://bank.example.com',
    'http://localhost.example.com',
    'http://example.localhost',
    'http://[::1]:65536',
    'http://127.0.0.2',
    'http://bank',
    'https://[::1]:7879',
  ])('no door at %s', (url) => {
    expect(say(FULL.replace('https://bank.example.com:7879', `'${url}'`))).toEqual([
      `roster_invalid ${lineOf('door:')} door "${url}" ${NO_DOOR} → ${DOOR}`,
    ]);
  });

  test('ten keys, not eleven', () => {
    const keys = (n: number): string => `[${Array.from({ length: n }, (_, i) => key(`more ${i}`)).join(', ')}]`;
    expect(say(FULL.replace('keys: []', `keys: ${keys(10)}`))).toEqual([]);
    expect(say(FULL.replace('keys: []', `keys: ${keys(11)}`))).toEqual([
      `roster_invalid ${lineOf('keys: []')} keys may have at most 10 → at most 10, such as keys: [${KEY}]`,
    ]);
  });
});

describe('what needs more than one field to judge, at its own line', () => {
  const line = (mark: string, words = mark): number => FULL.slice(0, FULL.indexOf(words, FULL.indexOf(mark))).split('\n').length;
  const told = (text: string): [number, string, string][] => {
    const read = parseRoster(text, 'roster.yaml');
    return read.ok ? [] : read.problems.map(({ line: at, text: said, write }) => [at, said, write]);
  };
  const NO_PERSON = 'one of ana, ben';
  test.each<[string, string, string, number, string, string]>([
    [
      'self-approval without development',
      'development: true\nselfApproval: false',
      'selfApproval: true',
      line('development: true'),
      'selfApproval needs a development roster',
      'development: true beside it, or selfApproval: false',
    ],
    [
      'an origin elsewhere',
      "'https://example.com:8443'",
      "'https://example.org:8443'",
      line("'https://example.com:8443'"),
      '"https://example.org:8443" is neither at nor below the rpId example.com',
      'https://example.com',
    ],
    [
      'an origin that only ends alike',
      "'https://example.com:8443'",
      "'https://notexample.com'",
      line("'https://example.com:8443'"),
      '"https://notexample.com" is neither at nor below the rpId example.com',
      'https://example.com',
    ],
    [
      'an origin over http',
      "'https://example.com:8443'",
      "'http://approve.example.com:8443'",
      line("'https://example.com:8443'"),
      '"http://approve.example.com:8443" is not https',
      'https://approve.example.com',
    ],
    ['a member nobody knows', '    - ben', '    - bem', line('    - ben'), 'no person is called "bem": did you mean "ben"?', NO_PERSON],
    ['a member twice', '    - ben', '    - ana', line('    - ben'), 'ana stands twice in group finance', 'it once'],
    [
      'a group nobody knows',
      '    - group:finance',
      '    - group:finanse',
      line('    - group:finance'),
      'no group is called "finanse": did you mean "finance"?',
      'one of finance, everyone',
    ],
    [
      'a group in itself',
      '    - group:finance',
      '    - group:everyone',
      line('  everyone:'),
      'group everyone contains itself: everyone → everyone',
      'group everyone without that way back',
    ],
    ['an owner nobody knows', 'owner: ana', 'owner: zoe', line('owner: ana'), 'no person is called "zoe"', NO_PERSON],
    [
      'an agent with keys and a bearer key',
      '    keys:\n      - ' + key('agent one'),
      `    bearer: 'sha256:${'cd'.repeat(32)}'\n    keys:\n      - ${key('agent one')}`,
      line('  two-keys:', '    keys:'),
      'agent two-keys has keys and bearer',
      'one of key, keys and bearer',
    ],
    [
      'an agent with key and keys',
      '    keys:\n      - ' + key('agent one'),
      `    key: ${key('more')}\n    keys:\n      - ${key('agent one')}`,
      line('  two-keys:', '    keys:') + 1,
      'agent two-keys has key and keys',
      'one of key, keys and bearer',
    ],
    [
      'a type twice at one executor',
      '      - payments.refund',
      '      - payments.transfer',
      line('      - payments.refund'),
      'payments.transfer stands twice',
      'each type once, at one executor',
    ],
    [
      'a type at two executors',
      'runs: [mail.send]',
      'runs: [payments.refund]',
      line('runs: [mail.send]', 'mail.send'),
      'payments.refund is run by bank already',
      'each type once, at one executor',
    ],
    [
      'one key twice',
      key('api two'),
      key('api'),
      line(`    - ${key('api two')}`, "'"),
      'this key of the API is enrolled for the API already',
      'a key of its own for each; one key stands once',
    ],
    [
      'the key of an agent at an executor',
      `keys: [${key('mailer')}]`,
      `keys: [${key('agent two')}]`,
      line(`keys: [${key('mailer')}]`),
      'this key of executor mailer is enrolled for agent two-keys already',
      'a key of its own for each; one key stands once',
    ],
    [
      'the key of a person as the one key of an agent',
      `key: ${key('ap-agent')}`,
      `key: ${key('ana')}`,
      line(`key: ${key('ap-agent')}`),
      'this key of agent ap-agent is enrolled for person ana already',
      'a key of its own for each; one key stands once',
    ],
    [
      'the key of a person as the one key of the API',
      `  keys:\n    - ${key('api')}\n    - ${key('api two')}`,
      `  key: ${key('ana')}`,
      line('api:') + 1,
      'this key of the API is enrolled for person ana already',
      'a key of its own for each; one key stands once',
    ],
    [
      'the key of a person at an agent',
      `      - ${key('agent two')}`,
      `      - ${key('ana')}`,
      line(`      - ${key('agent two')}`, "'"),
      'this key of agent two-keys is enrolled for person ana already',
      'a key of its own for each; one key stands once',
    ],
  ])('%s', (_what, right, wrong, at, said, write) => {
    expect(FULL).toContain(right);
    expect(told(FULL.replace(right, wrong))).toEqual([[at, said, write]]);
  });

  test('origins of this machine need no https', () => {
    const local = (rpId: string, origin: string): string[] =>
      told(
        FULL.replace('rpId: example.com', `rpId: ${rpId}`)
          .replace('https://approve.example.com', origin)
          .replace("'https://example.com:8443'", `https://${rpId}`),
      ).map(([, said]) => said);
    expect(local('localhost', "'http://localhost:7878'")).toEqual([]);
    expect(local('localhost', "'http://app.localhost:7878'")).toEqual([]);
    expect(local('app.localhost', "'http://app.localhost'")).toEqual([]);
    expect(local('notlocalhost', "'http://notlocalhost'")).toEqual(['"http://notlocalhost" is not https']);
    expect(local('localhost.evil.com', "'http://localhost.evil.com'")).toEqual(['"http://localhost.evil.com" is not https']);
  });

  test('without people or groups there is no name to choose', () => {
    const none = 'schema: keyturn/roster@1\nversion: 1\ndeployment: d\npeople: {}\n';
    expect(told(`${none}groups: { a: [ana] }\n`)).toEqual([[5, 'no person is called "ana"', 'a person of this name first']]);
    expect(told(none.replace('{}', '{ ana: { name: Ana, keys: [] } }') + 'groups: { a: [group:elsewhere, ana] }\n')).toEqual([
      [5, 'no group is called "elsewhere"', 'one of a'],
    ]);
  });

  test('of many names twenty are told', () => {
    const ids = Array.from({ length: 21 }, (_, i) => `p${String(i).padStart(2, '0')}`);
    const text = `schema: keyturn/roster@1\nversion: 1\ndeployment: d\npeople: { ${ids.map((id) => `${id}: { name: x, keys: [] }`).join(', ')} }\ngroups: { a: [zoe] }\n`;
    expect(told(text)).toEqual([[5, 'no person is called "zoe"', `one of ${ids.slice(0, 20).join(', ')}`]]);
  });

  test('a loop is told of each group in it, by the way back to it; others that lead into it are not blamed', () => {
    const groups = (text: string): [number, string, string][] =>
      told(`schema: keyturn/roster@1\nversion: 1\ndeployment: d\npeople: { ana: { name: Ana, keys: [] } }\ngroups:\n${text}`);
    expect(groups('  a: [group:b]\n  b: [ana, group:c]\n  c: [group:b]\n').map(([at, said]) => [at, said])).toEqual([
      [7, 'group b contains itself: b → c → b'],
      [8, 'group c contains itself: c → b → c'],
    ]);
    expect(groups('  a: [group:b, group:c]\n  b: [group:d]\n  c: [group:d]\n  d: [ana]\n')).toEqual([]);
    expect(groups('  a: [group:b, group:c]\n  b: [ana]\n  c: [group:a]\n').map(([, said]) => said)).toEqual([
      'group a contains itself: a → c → a',
      'group c contains itself: c → a → c',
    ]);
  });

  test("a member called like what every object has is nobody's", () => {
    expect(told(FULL.replace('    - ben', '    - constructor')).map(([, said]) => said)).toEqual(['no person is called "constructor"']);
    expect(told(FULL.replace('    - group:finance', '    - group:constructor')).map(([, said]) => said)).toEqual([
      'no group is called "constructor"',
    ]);
  });

  test('two agents of one bearer key, however it is written', () => {
    const twice = FULL.replace(`key: ${key('ap-agent')}`, `key: 'sha256:${BEARER}'`);
    expect(told(twice)).toEqual([
      [line('  old-agent:'), 'agents ap-agent and old-agent share a bearer key', 'a bearer key of its own for each'],
    ]);
  });
});
