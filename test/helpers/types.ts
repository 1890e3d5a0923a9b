import { z } from 'zod';
import { defineAction, type ActionType, type StepDefinition, type Undo } from '../../src/executor/define-action.js';
import type { FakeBank } from './fake-bank.js';

const params = z.strictObject({ vendor: z.string().min(1).max(100), cents: z.int().min(1) });
type P = z.infer<typeof params>;

/**
 * Action types over the fake bank: `transfer` (one step), `batch` (reserve, send, notify, undone automatically), `final` (the last step cannot be undone),
 * `by-hand` (its first step is undone by hand), `blind` (no probe).
 */
export function bankTypes(bank: FakeBank): Map<string, ActionType> {
  const run: StepDefinition<P>['run'] = ({ cents }, { idempotencyKey }) =>
    bank.run({ key: idempotencyKey, step: idempotencyKey.split('/')[1] ?? '', cents });
  const undo: Undo<P> = (_params, { undoes, idempotencyKey }) => bank.undo(undoes, idempotencyKey);
  const probe: StepDefinition<P>['probe'] = ({ idempotencyKey }) => bank.probe(idempotencyKey);
  const step = (name: string, how: Undo<P> = undo): StepDefinition<P> => ({ name, run, probe, undo: how });
  const common = {
    params,
    summarize: ({ vendor, cents }: P) => `Pay ${vendor} EUR ${(cents / 100).toFixed(2)}`,
    preview: ({ vendor, cents }: P) => {
      bank.calls.push('preview');
      if (bank.previewFails !== undefined) throw bank.previewFails;
      return {
        changes: [{ what: `balance of ${vendor}`, to: `+${cents} cents` }],
        touches: [vendor],
        precondition: { version: bank.version },
      };
    },
    credentials: () => {
      bank.calls.push('credentials');
      if (bank.credentialsFail !== undefined) throw bank.credentialsFail;
      return 'token';
    },
    editable: ['/cents'],
  };
  const types = [
    defineAction({ ...common, name: 'payments.transfer', run, undo, probe }),
    defineAction({ ...common, name: 'payments.batch', steps: [step('reserve'), step('send'), step('notify')] }),
    defineAction({ ...common, name: 'payments.final', steps: [step('reserve'), step('send', 'impossible')] }),
    defineAction({ ...common, name: 'payments.by-hand', steps: [step('ship', { byHand: 'Call the warehouse.' }), step('bill')] }),
    defineAction({ ...common, name: 'payments.blind', run, undo }),
  ];
  return new Map(types.map((type) => [type.name, type]));
}

/** A type with some of it changed, as after a new release of the executor. */
export const changed = (type: ActionType, change: Partial<ActionType>): ActionType => ({ ...type, ...change });
