import { describe, expect, test } from '@jest/globals';
import { GUARDS } from '../../redteam/guards.js';
import { ATTACKS } from '../../redteam/list.js';
import { patchedTexts } from '../../redteam/patched.js';
import { linksOf, ROOT, tableRows, text } from './markdown.js';

const page = text('docs/attacks.md');
const [, afterList = ''] = page.split('## The list');
const [list = '', more = ''] = afterList.split('## More of the red team');
const rows = tableRows(list).map(([number = '', attack = '', stops = '', shown = '']) => ({
  number: Number(number),
  attack,
  stops,
  shown,
}));
/** Names of attacks of the red team in a cell. */
const namesIn = (cell: string): string[] => [...cell.matchAll(/`([a-z]+(?:-[a-z]+)*)`/g)].map(([, name = '']) => name);

describe('docs/attacks.md', () => {
  test('each number from 1 to 81 stands there once, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 81 }, (_, n) => n + 1));
  });

  test('each attack is shown by a test or by the red team, or says in words why it does not concern what exists', () => {
    const silent = rows.filter(
      ({ stops, shown }) =>
        !stops.startsWith('Not here') && linksOf(shown).every(({ to }) => !to.endsWith('.test.ts')) && namesIn(shown).length === 0,
    );
    expect(silent.map(({ number }) => number)).toEqual([]);
  });

  test('each row names the attacks of the red team that are about it, and no other', () => {
    for (const { number, shown } of rows) {
      const about = ATTACKS.filter(({ cases }) => cases.includes(number)).map(({ id }) => id);
      expect({ number, named: namesIn(shown).sort() }).toEqual({ number, named: about.sort() });
    }
  });

  test('those with no number stand in a table of their own, by the guard that stops them', () => {
    const others = ATTACKS.filter(({ cases }) => cases.length === 0).map(({ id, words, guard }) => [`\`${id}\``, words, guard]);
    expect(tableRows(more)).toEqual(others);
  });

  test('its last result is of all attacks, all stopped', () => {
    const [, attacks, effects] = /redteam: (\d+) attacks, \1 stopped, (\d+) effects at the target/.exec(page) ?? [];
    expect([attacks, effects].map(Number)).toEqual([ATTACKS.length, 0]);
    const [, unguarded] = /unguarded: (\d+) of \1 attacks succeed without their guard/.exec(page) ?? [];
    expect(Number(unguarded)).toBe(ATTACKS.length);
  });
});

describe('the red team', () => {
  test('each attack has a name of its own', () => {
    expect(new Set(ATTACKS.map(({ id }) => id)).size).toBe(ATTACKS.length);
  });

  test('each guard is the guard of an attack, and each of its patches applies at exactly one place', async () => {
    const used = new Set<string>(ATTACKS.map(({ guard }) => guard));
    expect(Object.keys(GUARDS).filter((guard) => !used.has(guard))).toEqual([]);
    for (const patches of Object.values(GUARDS)) expect((await patchedTexts(patches, ROOT)).size).toBeGreaterThan(0);
  });
});
