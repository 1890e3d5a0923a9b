import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../src/temporal/free-port.js';
import type { Child } from '../chaos/child.js';
import { approve, freeze } from '../helpers/messages.js';
import { Rig } from '../helpers/rig.js';
import { policyText } from '../helpers/rules-fixture.js';
import { valueOf } from '../helpers/scrape.js';
import { processesOf } from '../upgrade/processes.js';

const now = (): { at: number } => ({ at: Date.now() });

/** As deploy/ runs it: metrics and door are two ports of a process that holds nothing else open. */
describe("an executor in a process of its own, scraped over HTTP, with what it counts and nobody else's", () => {
  let rig: Rig;
  let dir: string;
  let executor: Child;
  let second: Child;
  const at = { KEYTURN_METRICS: '', KEYTURN_DOOR: '' };
  const scrape = async (): Promise<string> => {
    const response = await fetch(`http://${at.KEYTURN_METRICS}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    return response.text();
  };
  const scraped = async (so: (text: string) => boolean): Promise<string> => {
    for (const end = Date.now() + 40_000; ; await new Promise((done) => setTimeout(done, 200))) {
      const text = await scrape();
      if (so(text)) return text;
      if (Date.now() > end) throw new Error(`in vain:\n${text.match(/^keyturn_.*$/gm)?.join('\n') ?? ''}`);
    }
  };

  beforeAll(async () => {
    rig = await Rig.start({ roster: { runs: ['payments.transfer', 'payments.kept'] } });
    await rig.stopExecutor();
    at.KEYTURN_METRICS = `127.0.0.1:${await freePort()}`;
    at.KEYTURN_DOOR = `127.0.0.1:${await freePort()}`;
    const made = await processesOf(rig);
    dir = made.dir;
    executor = made.executor('1', at);
    second = made.executor('2', { ...at, KEYTURN_DOOR: `127.0.0.1:${await freePort()}` });
    await executor.start();
  }, 120_000);
  afterAll(async () => {
    await executor.kill();
    await second.kill();
    await rig.stop();
  }, 60_000);

  test('entries, ends, answers by check; the SDK’s own; no name of a person, an action or a parameter in any label', async () => {
    const { handle, id, sealed } = await rig.propose();
    for (const person of ['ana', 'ben']) expect(await rig.decide(handle, approve(person, sealed, now()))).toBe('counted');
    expect(await rig.outcome(handle)).toMatchObject({ status: 'succeeded' });
    const text = await scraped((each) => valueOf(each, 'keyturn_executor_ended_total', { status: 'succeeded' }) === 1);
    for (const [kind, count] of [
      ['sealed', 1],
      ['executing', 1],
      ['step_done', 1],
      ['ended', 1],
    ] as const)
      expect([kind, valueOf(text, 'keyturn_executor_entries_total', { kind, executor: 'bank' })]).toEqual([kind, count]);
    expect(valueOf(text, 'keyturn_executor_answers_total', { activity: 'seal', kind: 'sealed', check: 'none' })).toBe(1);
    expect(valueOf(text, 'keyturn_executor_rules_valid')).toBe(1);
    expect(valueOf(text, 'keyturn_executor_freezes')).toBe(0);
    expect(valueOf(text, 'temporal_activity_execution_latency_seconds_count')).toBeGreaterThan(0);
    // What the workflow worker counts is its own process's.
    expect(text).not.toMatch(/^keyturn_worker_/m);
    const labels = text.split('\n').flatMap((line) => (line.startsWith('keyturn_') ? [line.replace(/ [^ ]+$/, '')] : []));
    expect(labels.length).toBeGreaterThan(5);
    for (const name of [id, 'ana', 'ben', 'ap-agent', 'ACME', sealed.digest]) expect(labels.join('\n')).not.toContain(name);
  });

  test('a freeze by the door shows, and what it holds back is counted by its code', async () => {
    const { handle, sealed } = await rig.propose();
    const frozen = await fetch(`http://${at.KEYTURN_DOOR}/v1/stops`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(freeze('cleo', { all: true }, now())),
    });
    expect(frozen.status).toBe(200);
    for (const person of ['ana', 'ben']) expect(await rig.decide(handle, approve(person, sealed, now()))).toBe('counted');
    const text = await scraped((each) => valueOf(each, 'keyturn_executor_freezes') === 1);
    expect(valueOf(text, 'keyturn_executor_entries_total', { kind: 'lodged' }) ?? 0).toBe(1);
    await scraped(
      (each) => (valueOf(each, 'keyturn_executor_answers_total', { activity: 'advance', kind: 'wait', code: 'frozen' }) ?? 0) > 0,
    );
    await handle.cancel();
    expect(await rig.outcome(handle)).toMatchObject({ status: 'cancelled' });
  });

  test('a policy that became invalid shows, and its mending', async () => {
    const file = join(dir, 'policy.yaml');
    await writeFile(file, `${policyText()}\nnot a field: 1\n`);
    await scraped((each) => valueOf(each, 'keyturn_executor_rules_valid') === 0);
    await writeFile(file, policyText());
    await scraped((each) => valueOf(each, 'keyturn_executor_rules_valid') === 1);
  });

  test('an address that is taken: the process does not start without its metrics, and says which', async () => {
    await expect(second.start()).rejects.toThrow('before it was ready');
    expect(await readFile(join(dir, 'executor-2.log'), 'utf8')).toMatch(/executor: not started[^]*(?:in use|bind|metrics)/i);
  });
});
