import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { devDoor } from '../../src/cli/dev/door.js';
import { parseRoster, type Roster } from '../../src/domain/roster.js';
import { freePort } from '../../src/temporal/free-port.js';
import { rosterText } from '../helpers/rules-fixture.js';

let taken: Server | undefined;
afterEach(() => {
  taken?.close();
  taken = undefined;
});

function rosterWith(door: string): Roster {
  const text = rosterText().replace(/(bank: \{ runs: .*?\]), keys/, `$1, door: '${door}', keys`);
  const read = parseRoster(text, 'roster.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.roster;
}

describe('the door that dev opens', () => {
  test.each(['127.0.0.1', 'localhost', '[::1]'])('where the roster says, on this machine: %s', async (host) => {
    const port = await freePort();
    expect(await devDoor(rosterWith(`http://${host}:${port}`), undefined)).toEqual({ at: `${host}:${port}` });
  });

  test('none elsewhere, none behind TLS, none where the environment says already', async () => {
    const port = await freePort();
    expect(await devDoor(rosterWith('https://bank.example.com:7879'), undefined)).toEqual({});
    expect(await devDoor(rosterWith(`https://localhost:${port}`), undefined)).toEqual({});
    expect(await devDoor(rosterWith(`http://127.0.0.1:${port}`), '127.0.0.1:1')).toEqual({});
    expect(await devDoor(rosterWith(`http://127.0.0.1:${port}`), '')).toEqual({ at: `127.0.0.1:${port}` });
  });

  test('none where somebody listens: dev starts all the same, and says so', async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const door = await devDoor(rosterWith(`http://127.0.0.1:${port}`), undefined);
    expect(door).toEqual({ notice: expect.stringContaining(`127.0.0.1:${port} is taken`) });
  });

  test('of several executors none is guessed', async () => {
    const roster = rosterWith(`http://127.0.0.1:${await freePort()}`);
    const [bank] = roster.executors.values();
    if (bank === undefined) throw new Error('no executor');
    const two: Roster = { ...roster, executors: new Map([...roster.executors, ['other', { ...bank, name: 'other' }]]) };
    expect(await devDoor(two, undefined)).toEqual({ notice: expect.stringContaining('set KEYTURN_DOOR') });
  });
});
