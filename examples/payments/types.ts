import { z } from 'zod';
import { defineAction, Failed, NotStarted, type ActionType, type ProbeAnswer } from '../../src/executor/define-action.js';
import { Bank, BankBusy, BankRefused } from '../bank/client.js';

const transfer = z.strictObject({
  vendor: z.string().min(1).max(100),
  iban: z.string().regex(/^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$/),
  cents: z.int().positive().max(1_000_000_00),
});
type Transfer = z.infer<typeof transfer>;

const amount = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2 });
export const euros = (cents: number): string => `EUR ${amount.format(cents / 100)}`;

/** The bank's "no" is sure; "try later" is sure that nothing happened; anything else may have happened. */
async function certain<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof BankBusy) throw new NotStarted('bank_busy');
    if (error instanceof BankRefused) throw new Failed(error.code, error.message);
    throw error;
  }
}

/** Three action types of a bank. `password` is asked for right before each act, never earlier. */
export function paymentTypes(url: string, password: () => string): ActionType[] {
  const bank = (): Bank => new Bank(url, password());
  const probe = async ({ idempotencyKey }: { idempotencyKey: string }): Promise<ProbeAnswer> => {
    const found = await bank().lookupOrFence(idempotencyKey);
    return found.done ? { outcome: 'done', result: found.result } : { outcome: 'fenced' };
  };
  const preview = async (p: Transfer) => {
    const { cents } = await bank().balance(p.iban);
    return {
      changes: [{ what: `paid to ${p.iban} so far`, from: euros(cents), to: euros(cents + p.cents) }],
      touches: [`account ${p.iban}`],
    };
  };
  const pay = {
    params: transfer,
    summarize: (p: Transfer) => `Pay ${p.vendor} ${euros(p.cents)} to ${p.iban}`,
    preview,
    // The balance shown informs; a payment does not depend on it.
    precondition: 'none',
    run: (p: Transfer, { idempotencyKey }: { idempotencyKey: string }) => certain(bank().pay(p, idempotencyKey)),
    undo: (_p: Transfer, { undoes, idempotencyKey }: { undoes: string; idempotencyKey: string }) => bank().refund(undoes, idempotencyKey),
    probe,
    editable: ['/cents'],
  } as const;
  return [
    defineAction({ name: 'payments.transfer', ...pay }),
    defineAction({ name: 'payments.urgent', ...pay }),
    defineAction({
      name: 'payments.escrow',
      params: transfer,
      summarize: (p) => `Reserve and settle ${euros(p.cents)} for ${p.vendor}, ${p.iban}`,
      preview,
      steps: [
        {
          name: 'reserve',
          run: (p, { idempotencyKey }) => certain(bank().reserve(p, idempotencyKey)),
          undo: (_p, { undoes, idempotencyKey }) => bank().release(undoes, idempotencyKey),
          probe,
        },
        {
          name: 'settle',
          run: (p, { idempotencyKey, actionId }) =>
            certain(bank().settle({ reservationKey: `${actionId}/reserve/run/1`, iban: p.iban }, idempotencyKey)),
          undo: (_p, { undoes, idempotencyKey }) => bank().release(undoes, idempotencyKey),
          probe,
        },
      ],
    }),
  ];
}
