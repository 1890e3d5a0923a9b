import { describe, expect, test } from '@jest/globals';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Signed } from '../../src/domain/dsse.js';
import { actionIdOf } from '../../src/domain/ids.js';
import { Messenger } from '../../src/executor/door/messenger.js';
import { cancel, reject } from '../helpers/messages.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { HOUR, World } from '../helpers/world.js';
import { seal } from '../helpers/hand-made.js';

const SEALED = seal();
const { id } = SEALED;
const at = Date.parse(SEALED.envelope.sealedAt);
const no = reject('ana', SEALED, { at });

/** A Temporal that answers as it is told; what it was signalled is kept. */
function temporal(answer: () => void = () => undefined) {
  const signals: [string, string, Signed][] = [];
  const deadlines: number[] = [];
  const client = {
    withDeadline: async (deadline: number, work: () => Promise<void>) => {
      deadlines.push(deadline - Date.now());
      return work();
    },
    workflow: {
      getHandle: (name: string) => ({
        signal: async (door: string, signed: Signed) => {
          answer();
          signals.push([name, door, signed]);
        },
      }),
    },
  };
  return { client: client as unknown as Client, signals, deadlines };
}
const soon = (ms = 30): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function messenger(): Promise<{ readonly world: World; readonly made: Messenger; readonly logged: unknown[] }> {
  const world = await World.open();
  const logged: unknown[] = [];
  const made = new Messenger({ ...world.executor, log: (event, detail) => void logged.push([event, detail]) });
  return { world, made, logged };
}

describe('what came by the door is told to the runs', () => {
  test('a decision by its own signal, everything else as what is lodged; each once, within three seconds', async () => {
    const { made, logged } = await messenger();
    const { client, signals, deadlines } = temporal();
    await made.connected(client);
    const stop = cancel(id, { at });
    made.tell(id, no);
    made.tell(id, no);
    made.tell(id, stop);
    await soon();
    expect(signals).toEqual([
      [id, 'decision', no],
      [id, 'lodge', stop],
    ]);
    for (const left of deadlines) expect(left > 2_000 && left <= 3_000).toBe(true);
    made.tell(id, no);
    await soon();
    expect(signals).toHaveLength(3);
    expect(logged).toEqual([]);
    made.end();
  });
  test('nothing before Temporal is there, everything owed once it is, and nothing after the end', async () => {
    const { made } = await messenger();
    const { client, signals } = temporal();
    made.tell(id, no);
    await soon();
    expect(signals).toEqual([]);
    await made.connected(client);
    await soon();
    expect(signals).toHaveLength(1);
    made.end();
    made.tell(id, cancel(id, { at }));
    await soon();
    expect(signals).toHaveLength(1);
  });
  test('a run that is gone needs no telling; one that cannot be told now is told later, and it is logged', async () => {
    const { made, logged } = await messenger();
    const gone = temporal(() => {
      throw new WorkflowNotFoundError('gone', id, undefined);
    });
    await made.connected(gone.client);
    made.tell(id, no);
    await soon();
    expect(logged).toEqual([]);
    let away: unknown = new Error('unavailable');
    const later = temporal(() => {
      if (away !== undefined) throw away as Error;
    });
    await made.connected(later.client);
    made.tell(id, no);
    const second = cancel(id, { at });
    made.tell(id, second);
    await soon();
    expect(logged).toEqual([['a run is not told yet what came by the door', { actionId: id, error: 'unavailable' }]]);
    expect(later.signals).toEqual([]);
    away = 'plain words';
    made.tell(id, no);
    await soon();
    expect(logged[1]).toEqual(['a run is not told yet what came by the door', { actionId: id, error: 'plain words' }]);
    away = undefined;
    await made.connected(later.client);
    await soon();
    expect(later.signals.map(([, door]) => door)).toEqual(['decision', 'lodge']);
    made.end();
  });
  test('one that cannot be told now is told two seconds later, by itself; nothing is told twice, or once it has ended', async () => {
    const real = globalThis.setTimeout;
    const later: (() => void)[] = [];
    globalThis.setTimeout = ((work: () => void, ms?: number) => {
      if (ms === 2_000) later.push(work);
      return real(ms === 2_000 ? () => undefined : work, ms);
    }) as typeof setTimeout;
    try {
      const { made, logged } = await messenger();
      let away = true;
      const { client, signals } = temporal(() => {
        if (away) throw new Error('unavailable');
      });
      await made.connected(client);
      made.tell(id, no);
      made.tell(id, cancel(id, { at }));
      await soon();
      expect([signals.length, logged.length, later.length]).toEqual([0, 1, 1]);
      away = false;
      later[0]?.();
      await soon();
      expect(signals.map(([, door]) => door)).toEqual(['decision', 'lodge']);
      expect(later).toHaveLength(1);
      away = true;
      made.tell(id, no);
      await soon();
      expect(later).toHaveLength(2);
      away = false;
      made.end();
      await soon();
      expect(signals).toHaveLength(2);
    } finally {
      globalThis.setTimeout = real;
    }
  });
  test('what comes while others are being told follows them, one after the other; the end breaks it off', async () => {
    const { made } = await messenger();
    const order: string[] = [];
    let goOn = (): void => undefined;
    const waiting = () => new Promise<void>((done) => (goOn = done));
    const client = {
      withDeadline: async (_deadline: number, work: () => Promise<void>) => work(),
      workflow: {
        getHandle: (name: string) => ({
          signal: async (door: string) => {
            order.push(`${door} ${name}`);
            await waiting();
          },
        }),
      },
    } as unknown as Client;
    await made.connected(client);
    made.tell(id, no);
    await soon();
    const other = actionIdOf(DEPLOYMENT, 'ap-agent', 'other');
    made.tell(other, no);
    await made.connected(client);
    await soon();
    expect(order).toEqual([`decision ${id}`]);
    made.tell(other, cancel(other, { at }));
    made.end();
    goOn();
    await soon();
    expect(order).toEqual([`decision ${id}`]);
  });
  test('at the start also what was lodged in the day before, and only then', async () => {
    const { world, made } = await messenger();
    const sealed = await world.propose();
    const signed = reject('ana', sealed, { at: world.clock.ms });
    expect(await world.lodge(sealed.id, signed)).toMatchObject({ kind: 'stands' });
    world.clock.pass(24 * HOUR - 1);
    const first = temporal();
    await made.connected(first.client);
    await soon();
    expect(first.signals).toEqual([[sealed.id, 'decision', signed]]);
    await made.connected(first.client);
    await soon();
    expect(first.signals).toHaveLength(1);
    made.end();
    world.clock.pass(2);
    const old = new Messenger(world.executor);
    const second = temporal();
    await old.connected(second.client);
    await soon();
    expect(second.signals).toEqual([]);
    old.end();
  });
  test('a thousand are owed, the oldest go first', async () => {
    const { made } = await messenger();
    const { client, signals } = temporal();
    for (let i = 0; i <= 1_000; i++) made.tell(actionIdOf(DEPLOYMENT, 'ap-agent', `flood ${i}`), no);
    await made.connected(client);
    await soon(200);
    expect(signals).toHaveLength(1_000);
    expect(signals[0]?.[0]).toBe(actionIdOf(DEPLOYMENT, 'ap-agent', 'flood 1'));
    made.end();
  });
});
