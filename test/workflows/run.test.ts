import { describe, expect, test } from '@jest/globals';
import { actionIdOf } from '../../src/domain/ids.js';
import { outcomeOf } from '../../src/domain/outcome.js';
import { digestOfSigned } from '../../src/domain/dsse.js';
import { Run } from '../../src/workflows/run.js';
import { cancel } from '../helpers/messages.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';

const NOW = Date.UTC(2026, 5, 1, 9);
const ID = actionIdOf(DEPLOYMENT, 'ap-agent', 'key');

function waiting(): { run: Run; woken: () => Promise<boolean>; message: ReturnType<typeof cancel> } {
  const run = new Run(ID, undefined, () => NOW);
  let isWoken = false;
  void run
    .until(() => run.outcome !== undefined || run.nextToLodge() !== undefined)
    .then(() => {
      isWoken = true;
    });
  const woken = async (): Promise<boolean> => {
    await Promise.resolve();
    return isWoken;
  };
  return { run, woken, message: cancel(ID, { at: NOW }) };
}

describe('who waits in a run is woken by what was waited for, and by nothing else', () => {
  test('a stop that came in, while something else is under way', async () => {
    const { run, woken, message } = waiting();
    expect(await woken()).toBe(false);
    expect(run.receive('lodge', message).fate).toEqual({ state: 'waiting' });
    expect(await woken()).toBe(true);
  });

  test('not by other news', async () => {
    const { run, woken, message } = waiting();
    run.touch();
    run.wake();
    expect(await woken()).toBe(false);
    // Still waiting: what comes later is not missed.
    run.receive('lodge', message);
    expect(await woken()).toBe(true);
  });

  test('the end', async () => {
    const { run, woken } = waiting();
    run.finish(outcomeOf(ID, 'expired', { code: 'expired', text: 'Nobody decided in time.' }));
    expect(await woken()).toBe(true);
  });

  test('what became of a message is known to whoever is woken by it', async () => {
    const { run, message } = waiting();
    run.receive('lodge', message);
    let seen: unknown;
    void run.until(() => run.nextToLodge() === undefined).then(() => (seen = run.snapshot().messages));
    run.lodged(digestOfSigned(message), undefined);
    await Promise.resolve();
    expect(seen).toEqual([{ digest: digestOfSigned(message), fate: { state: 'stands' } }]);
  });
});
