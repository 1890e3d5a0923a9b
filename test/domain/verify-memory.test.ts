import { expect, test } from '@jest/globals';
import { verifySigned, type Signed } from '../../src/domain/dsse.js';
import { rememberingVerify } from '../../src/domain/verify-memory.js';
import { Authenticator, RP } from '../helpers/authenticator.js';
import { damaged } from '../helpers/messages.js';
import { AGENT, EXECUTOR } from '../helpers/signers.js';

/** One with a memory, and how often it had to look at a signature itself. */
function counting(): { readonly verify: typeof verifySigned; readonly looked: () => number } {
  let count = 0;
  const verify = rememberingVerify((...input) => {
    count++;
    return verifySigned(...input);
  });
  return { verify, looked: () => count };
}
const signed = EXECUTOR.sign('entry', { n: 1 });

test('the same bytes are judged once, whether they hold or not', () => {
  const { verify, looked } = counting();
  for (const again of [1, 2, 3]) {
    expect([again, verify('entry', signed, EXECUTOR.key)]).toEqual([again, true]);
    expect([again, verify('entry', damaged(signed), EXECUTOR.key)]).toEqual([again, false]);
  }
  expect(looked()).toBe(2);
});

test('whatever is another question is asked anew: another kind, key, party, payload or signature', () => {
  const device = new Authenticator('ana');
  const passkey = device.sign('decision', { n: 1 });
  const elsewhere = { ...RP, rpId: 'example.org' };
  const { verify, looked } = counting();
  const asked: [Parameters<typeof verifySigned>, boolean][] = [
    [['entry', signed, EXECUTOR.key], true],
    [['envelope', signed, EXECUTOR.key], false],
    [['entry', signed, AGENT.key], false],
    [['entry', { ...signed, payload: EXECUTOR.sign('entry', { n: 2 }).payload }, EXECUTOR.key], false],
    [['entry', damaged(signed), EXECUTOR.key], false],
    [['decision', passkey, device.key, RP], true],
    [['decision', passkey, device.key], false],
    [['decision', passkey, device.key, elsewhere], false],
  ];
  for (const [input, holds] of [...asked, ...asked]) expect(verify(...input)).toBe(holds);
  expect(looked()).toBe(asked.length);
});

test('three hundred are kept; then it begins anew, and every answer stays what it was', () => {
  let count = 0;
  const verify = rememberingVerify(() => {
    count++;
    return true;
  });
  const nth = (n: number): Signed => ({ ...signed, payload: String(n) });
  const ask = (n: number): boolean => verify('entry', nth(n), EXECUTOR.key);
  for (let n = 0; n < 300; n++) ask(n);
  expect([ask(0), ask(299), count]).toEqual([true, true, 300]);
  ask(300);
  expect([ask(300), count]).toEqual([true, 301]);
  expect([ask(0), ask(299), count]).toEqual([true, true, 303]);
});
