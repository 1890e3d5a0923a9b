import type { FakeBank } from '../../helpers/fake-bank.js';
import { must, type Action } from './account.js';

/** What the bank did, against what the ledger gave out: each effect once, under a key of the ledger's, with the sum that was agreed to. */
export function compareBank(actions: ReadonlyMap<string, Action>, bank: FakeBank): void {
  const ofKey = (key: string): Action => {
    const action = actions.get(key.split('/')[0] ?? '');
    must(action !== undefined, `nothing of the kind was ever sealed: ${key}`);
    return action;
  };
  const taken = new Set<string>();
  for (const { key, step, cents } of bank.effects) {
    const action = ofKey(key);
    must(action.keys.has(key), `an effect under a key the ledger never gave out: ${key}`);
    must(action.consumed?.cents === cents, `${cents} cents ran where ${String(action.consumed?.cents)} were agreed to`);
    must(!taken.has(`${action.id} ${step}`), `two effects of one step: ${key}`);
    taken.add(`${action.id} ${step}`);
  }
  for (const key of bank.callsOf('undo')) must(ofKey(key).undone.has(key), `an undo the ledger never began: ${key}`);
  for (const action of actions.values()) compareEnd(action, bank);
}

/** Ends match the world, also when something late still arrives there. */
export function compareEnd(action: Action, bank: FakeBank): void {
  const here = bank.effectsOf(action.id);
  if (action.end === undefined) return must(action.consumed !== undefined || here.length === 0, 'an effect before the consumption');
  if (action.end === 'succeeded')
    return must(here.length === action.steps.size && here.length > 0, `succeeded, but the bank shows ${here.join(' ')}`);
  must(here.length === 0, `${action.end}, but the bank shows ${here.join(' ')}`);
  const ever = bank.effects.some(({ key }) => key.startsWith(`${action.id}/`));
  must(action.end === 'compensated' || !ever, `${action.end}, but something had taken effect`);
}
