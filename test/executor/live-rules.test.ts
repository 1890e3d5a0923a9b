import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { executorIdentity } from '../../src/executor/identity.js';
import { openLedger, type Ledger } from '../../src/executor/ledger/ledger.js';
import { liveRules } from '../../src/executor/live-rules.js';
import { writeKeyFile } from '../../src/files/key-files.js';
import { toInstant } from '../../src/domain/instant.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import { privateKeyOf } from '../cli/folder.js';
import { DEPLOYMENT, policyText, rosterText, type PolicyOptions, type RosterOptions } from '../helpers/rules-fixture.js';
import { AGENT, EXECUTOR, signerOf } from '../helpers/signers.js';
import { memoryLedger, MINUTE } from '../helpers/world.js';

let dir: string;
let ledger: Ledger;
const development = process.env['KEYTURN_DEVELOPMENT'];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keyturn-rules-'));
  ledger = await openLedger(await memoryLedger(), DEPLOYMENT, EXECUTOR);
});
afterEach(async () => {
  await ledger.close();
  await rm(dir, { recursive: true, force: true });
  if (development === undefined) delete process.env['KEYTURN_DEVELOPMENT'];
  else process.env['KEYTURN_DEVELOPMENT'] = development;
});

describe('the rules as they stand on disk', () => {
  /** What a newly started executor says of these files, to the word; `as they are` where they hold. */
  async function said(
    roster: RosterOptions | string = {},
    policy: PolicyOptions = {},
    signer = EXECUTOR,
    now = Date.now(),
  ): Promise<string> {
    const files = { roster: join(dir, 'roster.yaml'), policy: join(dir, 'policy.yaml') };
    await writeFile(files.roster, typeof roster === 'string' ? roster : rosterText(roster));
    await writeFile(files.policy, policyText(policy));
    const ask = liveRules(ledger, files, signer.key.id, () => now);
    const rules = await ask();
    expect(await ask()).toEqual(rules);
    return rules.ok ? 'as they are' : rules.text.replaceAll(dir, 'DIR');
  }

  test('the same and newer ones are taken; what the ledger has seen is kept by version and digest', async () => {
    expect(await said()).toBe('as they are');
    expect(await said()).toBe('as they are');
    expect(await said({ version: 3 }, { version: 2 })).toBe('as they are');
    const [roster, policy] = await ledger.transaction(async (tx) => [await tx.meta('roster'), await tx.meta('policy')]);
    expect(roster).toMatch(/^3 [0-9a-f]{64}$/);
    expect(policy).toMatch(/^2 [0-9a-f]{64}$/);
  });
  test('attack 47: older ones, or others under the same version, are refused', async () => {
    expect(await said({ version: 3 }, { version: 3 })).toBe('as they are');
    expect(await said({ version: 2 }, { version: 3 })).toBe(
      'roster version 2 is older than version 3, which this ledger has seen: raise its version',
    );
    expect(await said({ version: 3 }, { version: 2 })).toBe(
      'policy version 2 is older than version 3, which this ledger has seen: raise its version',
    );
    expect(await said({ version: 3, groups: { more: ['ana'] } }, { version: 3 })).toBe(
      'the roster changed but its version is still 3: raise it by one',
    );
    expect(await said({ version: 3 }, { version: 3, executeWithin: '29m' })).toBe(
      'the policy changed but its version is still 3: raise it by one',
    );
    expect(await said({ version: 3 }, { version: 3 })).toBe('as they are');
  });
  test('of another deployment, for development, by no executor of it, or not valid at all', async () => {
    const other = rosterText().replace(`deployment: ${DEPLOYMENT}`, 'deployment: acme-prod');
    expect(await said(other)).toBe(`the roster names deployment acme-prod, the ledger ${DEPLOYMENT}`);
    delete process.env['KEYTURN_DEVELOPMENT'];
    const refused = 'the roster says development: true, but KEYTURN_DEVELOPMENT=1 is not set here';
    expect(await said({ more: 'development: true' })).toBe(refused);
    process.env['KEYTURN_DEVELOPMENT'] = 'yes';
    expect(await said({ more: 'development: true' })).toBe(refused);
    process.env['KEYTURN_DEVELOPMENT'] = '1';
    expect(await said({ more: 'development: true' })).toBe('as they are');
    const nobody = "the roster gives this executor's key to no executor, or its time is over: start it with its present key";
    expect(await said({}, {}, AGENT)).toBe(nobody);
    expect(
      await said({ version: 2, executorKeys: `{ key: '${EXECUTOR.key.text}', until: '${toInstant(MINUTE)}' }` }, {}, EXECUTOR, MINUTE),
    ).toBe(nobody);
    expect(await said('nonsense')).toMatch(/^DIR\/roster\.yaml:1: /);
  });
});

describe('who an executor is', () => {
  const parsed = (options: RosterOptions = {}): Roster => {
    const read = parseRoster(rosterText(options), 'roster.yaml');
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    return read.roster;
  };
  const keys = async (...names: [file: string, word: string][]): Promise<void> => {
    await mkdir(join(dir, '.keyturn', 'keys'), { recursive: true });
    for (const [file, word] of names) await writeKeyFile(join(dir, '.keyturn', 'keys', file), privateKeyOf(word));
  };
  const who = async (roster: Roster, env: NodeJS.ProcessEnv = {}): Promise<string> => {
    try {
      const { name, signer } = await executorIdentity(roster, dir, env);
      return `${name} ${signer.key.id}`;
    } catch (error) {
      return error instanceof Error ? error.message.replaceAll(dir, 'DIR') : 'no error';
    }
  };
  const bank = `bank ${EXECUTOR.key.id}`;
  const none = 'No executor in roster.yaml has a key in DIR/.keyturn/keys. Add it under executors, or set KEYTURN_EXECUTOR_KEY.';
  test('by the key of its variable, else by the files of its folder; other files are not its keys', async () => {
    expect(await who(parsed(), { KEYTURN_EXECUTOR_KEY: privateKeyOf('executor:bank') })).toBe(bank);
    expect(await who(parsed())).toBe(none);
    await keys(
      ['agent-x.key', 'executor:bank'],
      ['executor-x.key.old', 'executor:bank'],
      ['my-executor-x.key', 'executor:bank'],
      ['executor-other.key', 'executor:other'],
    );
    expect(await who(parsed())).toBe(none);
    await keys(['executor-z.key', 'executor:bank']);
    expect(await who(parsed())).toBe(bank);
    expect(await who(parsed(), { KEYTURN_EXECUTOR_KEY: privateKeyOf('person:ana') })).toBe(
      'No executor in roster.yaml has the key of KEYTURN_EXECUTOR_KEY. Add it under executors, or set KEYTURN_EXECUTOR_KEY.',
    );
  });
  test.each([[['a', 'b']], [['b', 'a']]])('of several files the first by name, however they came to lie there: %j', async (order) => {
    const words = { a: 'executor:bank:2', b: 'executor:bank' } as const;
    await keys(...order.map((name): [string, string] => [`executor-${name}.key`, words[name === 'a' ? 'a' : 'b']]));
    const both = parsed({ executorKeys: `'${EXECUTOR.key.text}', '${signerOf('executor:bank:2').key.text}'` });
    expect(await who(both)).toBe(`bank ${signerOf('executor:bank:2').key.id}`);
  });
  test('a key outside its time is told from one of nobody', async () => {
    await keys(['executor-bank.key', 'executor:bank']);
    const until = `{ key: '${EXECUTOR.key.text}', until: '${toInstant(Date.now() - MINUTE)}' }`;
    expect(await who(parsed({ executorKeys: until }))).toBe(
      'The key of executor bank is outside its time, from and until in roster.yaml. Start it with the key whose time it is.',
    );
  });
});
