import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Bank, BankBusy, BankRefused } from '../../examples/bank/client.js';
import {
  defineAction,
  Failed,
  NotStarted,
  type ActionType,
  type ProbeAnswer,
  type StepDefinition,
} from '../../src/executor/define-action.js';

const params = z.strictObject({ vendor: z.string().min(1).max(100), iban: z.string(), cents: z.int().positive() });
type P = z.infer<typeof params>;

/** How each type of action behaves; over a real bank in its own process, whose book is the truth. */
export const TYPES = {
  transfer: 'pays',
  glass: 'pays by a break-glass rule, and is reviewed afterwards',
  hasty: 'pays, but may be approved for two seconds only',
  forbidden: 'pays, but a rule denies it',
  precise: 'pays, if what the account has received is still what people saw',
  busy: 'pays at the second attempt: the first is told to come later',
  lost: 'pays, and loses the answer',
  blind: 'pays and loses the answer; nobody can ask what became of it',
  silent: 'loses the request; nobody can ask what became of it',
  pair: 'reserves, then pays',
  slow: 'reserves and takes its time, then pays',
  forgetful: 'reserves, then pays; loses the first answer to its undo',
  'by-hand': 'reserves, which only a person takes back, then pays',
} as const;
export type TypeName = keyof typeof TYPES;

/** Long enough for a cancel to arrive meanwhile, however busy the machine. */
const SLOW_MS = 8_000;

/** All types of one lane: `transfer.lane1`, … */
export function chaosTypes(lane: string, url: string, password: string): ActionType[] {
  const bank = new Bank(url, password);
  const probe = async ({ idempotencyKey }: { idempotencyKey: string }): Promise<ProbeAnswer> => {
    const found = await bank.lookupOrFence(idempotencyKey);
    return found.done ? { outcome: 'done', result: found.result } : { outcome: 'fenced' };
  };
  const pay: StepDefinition<P> = {
    name: 'pay',
    run: (p, { idempotencyKey }) => certain(bank.pay(p, idempotencyKey)),
    undo: (_p, { undoes, idempotencyKey }) => bank.refund(undoes, idempotencyKey),
    probe,
  };
  const reserve: StepDefinition<P> = {
    name: 'reserve',
    run: (p, { idempotencyKey }) => certain(bank.reserve(p, idempotencyKey)),
    undo: (_p, { undoes, idempotencyKey }) => bank.release(undoes, idempotencyKey),
    probe,
  };
  const losing: StepDefinition<P>['run'] = async (p, context) => {
    await pay.run(p, context);
    throw new Error('connection lost');
  };
  const forgotten = new Set<string>();
  const blind = { name: pay.name, undo: pay.undo };
  const steps: Readonly<Record<TypeName, readonly StepDefinition<P>[]>> = {
    transfer: [pay],
    glass: [pay],
    hasty: [pay],
    forbidden: [pay],
    precise: [pay],
    busy: [{ ...pay, run: (p, context) => (context.idempotencyKey.endsWith('/1') ? busy() : pay.run(p, context)) }],
    lost: [{ ...pay, run: losing }],
    blind: [{ ...blind, run: losing }],
    silent: [{ ...blind, run: () => Promise.reject(new Error('connection lost')) }],
    pair: [reserve, pay],
    slow: [
      {
        ...reserve,
        run: async (p, context) => {
          const reservation = await reserve.run(p, context);
          await sleep(SLOW_MS);
          return reservation;
        },
      },
      pay,
    ],
    forgetful: [
      {
        ...reserve,
        undo: async (_p, { undoes, idempotencyKey }) => {
          await bank.release(undoes, idempotencyKey);
          if (forgotten.has(undoes)) return;
          forgotten.add(undoes);
          throw new Error('connection lost');
        },
      },
      pay,
    ],
    'by-hand': [{ ...reserve, undo: { byHand: 'Call the bank.' } }, pay],
  };
  return (Object.keys(TYPES) as TypeName[]).map((name) =>
    defineAction({
      name: `${name}.${lane}`,
      params,
      summarize: ({ vendor, iban, cents }) => `Pay ${vendor} ${cents} cents to ${iban}`,
      preview: async ({ iban, cents }) => ({
        changes: [{ what: `balance of ${iban}`, to: `+${cents} cents` }],
        touches: [iban],
        ...(name === 'precise' ? { precondition: { received: (await bank.balance(iban)).cents } } : {}),
      }),
      steps: steps[name],
      editable: ['/cents'],
    }),
  );
}

const busy = (): never => {
  throw new NotStarted('bank_busy');
};

/** The bank's "no" is sure, and so is "later"; anything else may have happened. */
async function certain<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof BankBusy) return busy();
    if (error instanceof BankRefused) throw new Failed(error.code, error.message);
    throw error;
  }
}
