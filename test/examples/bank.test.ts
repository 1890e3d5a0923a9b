import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { BankAdmin } from '../../examples/bank/admin.js';
import { Bank } from '../../examples/bank/client.js';

const PASSWORD = 'test-password';
const ACME = { vendor: 'ACME GmbH', iban: 'DE89370400440532013000', cents: 480_000 };
const INITECH = { vendor: 'Initech', iban: 'DE02120300000000202051', cents: 820_000 };
const UMBRELLA = { vendor: 'Umbrella', iban: 'DE02500105170137075030', cents: 64_000 };

let folder: string;
let child: ChildProcess;
let url: string;
let bank: Bank;
let admin: BankAdmin;

async function start(): Promise<void> {
  child = spawn(process.execPath, ['--import', 'tsx', 'examples/bank/service.ts'], {
    env: { ...process.env, NODE_OPTIONS: '', BANK_PORT: '0', BANK_BOOK: join(folder, 'book.db'), BANK_PASSWORD: PASSWORD },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('no stdout');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const ready = JSON.parse(line) as { listening: string; pid: number };
  expect(ready).toEqual({ listening: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/), pid: child.pid });
  url = ready.listening;
  bank = new Bank(url, PASSWORD);
  admin = new BankAdmin(url, PASSWORD);
}

async function stop(signal: NodeJS.Signals): Promise<number | null> {
  const gone = once(child, 'exit') as Promise<[number | null]>;
  child.kill(signal);
  return (await gone)[0];
}

const states = async (): Promise<string[]> => (await bank.book()).map((entry) => `${entry.id} ${entry.state}`);
const refused = (code: string, status: number) => expect.objectContaining({ name: 'BankRefused', code, status });
const uncertain = async (write: Promise<unknown>): Promise<void> => {
  const name = await write.then(String, (error: Error) => error.name);
  expect(['[object Object]', 'BankRefused', 'BankBusy']).not.toContain(name);
};
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url + path, { method: 'POST', body: JSON.stringify(body), headers: { authorization: `Bearer ${PASSWORD}`, ...headers } });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyturn-bank-'));
  await start();
});
afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) await stop('SIGKILL');
  rmSync(folder, { recursive: true });
});

describe('keys', () => {
  test('one key pays once: 201, then 200 with the same payment; another body or operation is refused', async () => {
    const first = await post('/payments', ACME, { 'idempotency-key': 'k1' });
    const again = await post('/payments', { cents: ACME.cents, iban: ACME.iban, vendor: ACME.vendor }, { 'idempotency-key': 'k1' });
    expect([first.status, again.status]).toEqual([201, 200]);
    const payment: unknown = await first.json();
    expect(payment).toEqual({ id: 'pay_0001', ...ACME, at: expect.any(Number) });
    expect(await again.json()).toEqual(payment);
    await expect(bank.pay({ ...ACME, cents: 1 }, 'k1')).rejects.toEqual(refused('key_reused', 409));
    await expect(bank.reserve(ACME, 'k1')).rejects.toEqual(refused('key_reused', 409));
    const racing = await Promise.all(Array.from({ length: 8 }, () => bank.pay(INITECH, 'k2')));
    expect(new Set(racing.map((each) => each.id))).toEqual(new Set(['pay_0002']));
    expect((await bank.reserve(UMBRELLA, 'k3')).id).toBe('res_0003');
    expect((await bank.book())[2]).toMatchObject({ id: 'res_0003', kind: 'reservation', ...UMBRELLA, state: 'reserved', key: 'k3' });
  });

  test('a look-up tells the result, or makes the key unusable for every operation', async () => {
    const payment = await bank.pay(ACME, 'paid');
    expect(await bank.lookupOrFence('paid')).toEqual({ done: true, result: payment });
    for (let i = 0; i < 2; i++) expect(await bank.lookupOrFence('never')).toEqual({ done: false, fenced: true });
    await expect(bank.pay(ACME, 'never')).rejects.toEqual(refused('key_fenced', 409));
    await expect(bank.refund('paid', 'never')).rejects.toEqual(refused('key_fenced', 409));
    expect(await states()).toEqual(['pay_0001 paid']);
  });

  test('a slow write loses against a fence', async () => {
    await admin.setFaults({ delayMs: 1_500 });
    const slow = expect(bank.pay(ACME, 'slow')).rejects.toEqual(refused('key_fenced', 409));
    await sleep(100);
    expect(await bank.lookupOrFence('slow')).toEqual({ done: false, fenced: true });
    await slow;
    expect(await states()).toEqual([]);
  });
});

describe('refunds and reservations', () => {
  test('a refund happens once, whoever asks; of a key that never paid it stops the payment for ever', async () => {
    await bank.pay(ACME, 'p');
    for (const key of ['r1', 'r1', 'r2']) expect(await bank.refund('p', key)).toEqual({ refunded: true, id: 'pay_0001' });
    for (const key of ['r3', 'r3', 'r4']) expect(await bank.refund('late', key)).toEqual({ refunded: false });
    await expect(bank.pay(ACME, 'late')).rejects.toEqual(refused('key_fenced', 409));
    await expect(bank.refund('r5', 'r5')).rejects.toEqual(refused('same_key', 422));
    await bank.reserve(UMBRELLA, 's');
    await expect(bank.refund('s', 'r6')).rejects.toEqual(refused('not_undoable', 422));
    expect(await states()).toEqual(['pay_0001 refunded', 'res_0002 reserved']);
  });

  test('settles once, not to a closed account, and releases', async () => {
    await admin.setClosed(UMBRELLA.iban, true);
    const reservation = await bank.reserve(UMBRELLA, 's');
    expect(reservation).toEqual({ id: 'res_0001', ...UMBRELLA, at: expect.any(Number), state: 'reserved' });
    const settlement = { reservationKey: 's', iban: UMBRELLA.iban };
    await expect(bank.settle(settlement, 't')).rejects.toEqual(refused('account_closed', 422));
    await expect(bank.pay(UMBRELLA, 'p')).rejects.toEqual(refused('account_closed', 422));
    expect(await bank.balance(UMBRELLA.iban)).toEqual({ iban: UMBRELLA.iban, cents: 0, closed: true });
    await admin.setClosed(UMBRELLA.iban, false);
    await expect(bank.settle({ ...settlement, iban: ACME.iban }, 't')).rejects.toEqual(refused('reservation_differs', 422));
    await expect(bank.settle({ ...settlement, reservationKey: 'none' }, 't')).rejects.toEqual(refused('no_reservation', 422));
    for (let i = 0; i < 2; i++) expect(await bank.settle(settlement, 't')).toEqual({ ...reservation, state: 'settled' });
    await expect(bank.settle({ reservation: 'res_0001', ...UMBRELLA }, 't2')).rejects.toEqual(refused('not_reserved', 422));
    expect(await bank.balance(UMBRELLA.iban)).toEqual({ iban: UMBRELLA.iban, cents: UMBRELLA.cents, closed: false });
    for (const key of ['u', 'u', 'v']) expect(await bank.release('s', key)).toEqual({ released: true, id: 'res_0001' });
    expect(await bank.release('t', 'w')).toEqual({ released: true, id: 'res_0001' });
    expect(await bank.release('late', 'x')).toEqual({ released: false });
    await expect(bank.reserve(UMBRELLA, 'late')).rejects.toEqual(refused('key_fenced', 409));
    expect(await states()).toEqual(['res_0001 released']);
    expect((await bank.balance(UMBRELLA.iban)).cents).toBe(0);
  });
});

describe('the door', () => {
  test('writes and look-ups want the password, the book does not; requests are strict', async () => {
    const thief = new Bank(url, 'guess');
    await expect(thief.pay(ACME, 'k')).rejects.toEqual(refused('unauthorized', 401));
    await expect(thief.lookupOrFence('k')).rejects.toEqual(refused('unauthorized', 401));
    await expect(new BankAdmin(url, 'guess').setFaults({})).rejects.toEqual(refused('unauthorized', 401));
    expect(await thief.book()).toEqual([]);
    const wrong = [{ ...ACME, more: 1 }, { ...ACME, cents: 0.5 }, { ...ACME, cents: -1 }, { ...ACME, iban: 'x' }, null];
    for (const body of wrong) expect((await post('/payments', body, { 'idempotency-key': 'k' })).status).toBe(400);
    expect(await (await post('/payments', ACME)).json()).toEqual({ code: 'invalid', message: expect.stringContaining('Idempotency-Key') });
    for (const key of ['', 'x'.repeat(201), 'grün', 'a\nb']) await expect(bank.pay(ACME, key)).rejects.toEqual(refused('invalid', 400));
    expect((await post('/payments', { ...ACME, vendor: 'x'.repeat(20_000) }, { 'idempotency-key': 'k' })).status).toBe(413);
    expect((await post('/nothing', {})).status).toBe(404);
    expect((await bank.pay(ACME, 'x'.repeat(200))).id).toBe('pay_0001');
  });

  test('busy is certain, a lost answer is not: the look-up tells', async () => {
    await admin.setFaults({ failBefore: 1, dropAfterCommit: 1 });
    await expect(bank.pay(ACME, 'k')).rejects.toMatchObject({ name: 'BankBusy', code: 'try_later' });
    expect(await states()).toEqual([]);
    await uncertain(bank.pay(ACME, 'k'));
    expect(await bank.lookupOrFence('k')).toMatchObject({ done: true, result: { id: 'pay_0001' } });
    expect((await bank.pay(ACME, 'k')).id).toBe('pay_0001');
    expect(await states()).toEqual(['pay_0001 paid']);
  });
});

describe('the process', () => {
  test('kill -9 keeps what was answered, and what was not is found or fenced, never twice', async () => {
    await bank.pay(ACME, 'before');
    await bank.lookupOrFence('fenced');
    await admin.setClosed(UMBRELLA.iban, true);
    const keys = Array.from({ length: 200 }, (_, i) => `burst-${i}`);
    const burst = keys.map((key) => bank.pay(INITECH, key).then(Boolean, () => false));
    await Promise.any(burst.map(async (each) => (await each) || Promise.reject(new Error('not this one'))));
    await stop('SIGKILL');
    const answered = await Promise.all(burst);
    await start();
    expect((await bank.pay(ACME, 'before')).id).toBe('pay_0001');
    await expect(bank.pay(ACME, 'fenced')).rejects.toEqual(refused('key_fenced', 409));
    expect((await bank.balance(UMBRELLA.iban)).closed).toBe(true);
    const found = await Promise.all(keys.map(async (key) => (await bank.lookupOrFence(key)).done));
    expect(answered.filter((yes, i) => yes && found[i] !== true)).toEqual([]);
    const paid = (await bank.book()).map((entry) => entry.key).sort();
    expect(paid).toEqual(['before', ...keys.filter((_, i) => found[i])].sort());
  });

  test('kill -9 before the commit: it did not happen, and after the look-up it cannot', async () => {
    await admin.setFaults({ delayMs: 60_000 });
    const lost = uncertain(bank.pay(ACME, 'k'));
    await sleep(200);
    await stop('SIGKILL');
    await lost;
    await start();
    expect(await bank.lookupOrFence('k')).toEqual({ done: false, fenced: true });
    await expect(bank.pay(ACME, 'k')).rejects.toEqual(refused('key_fenced', 409));
    expect(await states()).toEqual([]);
  });

  test('ends cleanly when asked', async () => {
    await bank.pay(ACME, 'k');
    expect(await stop('SIGTERM')).toBe(0);
    await uncertain(bank.pay(ACME, 'k2'));
    await start();
    expect(await states()).toEqual(['pay_0001 paid']);
    expect(await stop('SIGINT')).toBe(0);
  });
});
