import { z } from 'zod';
import { BankRefused, callBank } from './call.js';
import {
  balanceSchema,
  entrySchema,
  foundSchema,
  idempotencyKeySchema,
  paymentSchema,
  refundSchema,
  releaseSchema,
  reservationSchema,
  type Balance,
  type Entry,
  type Found,
  type Payment,
  type Refund,
  type Release,
  type Reservation,
  type Settlement,
  type Transfer,
} from './wire.js';

export { BankBusy, BankRefused } from './call.js';

/**
 * The bank's client. Each write throws `BankRefused` (certain: the bank said no), `BankBusy` (certain: nothing happened) or another error
 * (unknown: ask `lookupOrFence`).
 */
export class Bank {
  constructor(
    private readonly url: string,
    private readonly password: string,
    private readonly timeoutMs = 10_000,
  ) {}

  /** Pays once per key. */
  async pay(p: Transfer, idempotencyKey: string): Promise<Payment> {
    return this.write('/payments', p, idempotencyKey, paymentSchema);
  }

  /** Refunds what the undone key paid; if it never paid, it never will. */
  async refund(undoes: string, idempotencyKey: string): Promise<Refund> {
    return this.write('/refunds', { undoes }, idempotencyKey, refundSchema);
  }

  /** Reserves money for an account. */
  async reserve(p: Transfer, idempotencyKey: string): Promise<Reservation> {
    return this.write('/reservations', p, idempotencyKey, reservationSchema);
  }

  /** Pays out a reservation, named by its id or by its idempotency key. */
  async settle(settlement: Settlement, idempotencyKey: string): Promise<Reservation> {
    return this.write('/settlements', settlement, idempotencyKey, reservationSchema);
  }

  /** Releases what the undone key reserved or settled; if it never did, it never will. */
  async release(undoes: string, idempotencyKey: string): Promise<Release> {
    return this.write('/releases', { undoes }, idempotencyKey, releaseSchema);
  }

  /** Whether the key has taken effect; if not, the bank makes it unusable for ever before it answers. */
  async lookupOrFence(key: string): Promise<Found> {
    return this.call('POST', '/lookups', foundSchema, { key });
  }

  /** What has arrived on an account. No side effects. */
  async balance(iban: string): Promise<Balance> {
    return this.call('GET', `/balances/${encodeURIComponent(iban)}`, balanceSchema);
  }

  /** Everything that happened, in order; wants no password. */
  async book(): Promise<Entry[]> {
    return callBank(this.url, this.timeoutMs, { method: 'GET', path: '/book' }, z.array(entrySchema));
  }

  private async write<Schema extends z.ZodType>(path: string, body: object, key: string, schema: Schema): Promise<z.output<Schema>> {
    // Refused here as the bank would: fetch cannot send such a header, and its error would look like an unknown outcome.
    if (!idempotencyKeySchema.safeParse(key).success)
      throw new BankRefused('invalid', 400, 'the idempotency key has a form the bank refuses');
    return this.call('POST', path, schema, body, key);
  }

  private async call<Schema extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: Schema,
    body?: object,
    idempotencyKey?: string,
  ) {
    const call = { method, path, password: this.password, ...(body && { body }), ...(idempotencyKey && { idempotencyKey }) };
    return callBank(this.url, this.timeoutMs, call, schema);
  }
}
