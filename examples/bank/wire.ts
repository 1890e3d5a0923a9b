import { z } from 'zod';

/**
 * What travels between the bank and its clients. A key is printable ASCII without outer blanks: a header loses blanks and foreign letters
 * that a body keeps, and then a fence would name another key than the write it should stop.
 */
export const idempotencyKeySchema = z
  .string()
  .regex(/^[!-~](?:[ -~]{0,198}[!-~])?$/, 'expected 1 to 200 printable ASCII characters without outer blanks');
const ibanSchema = z.string().regex(/^[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$/, 'expected an IBAN without blanks');
const vendorSchema = z.string().min(1).max(200);
const centsSchema = z.int().positive().max(1_000_000_000_000);
const idSchema = z.string().regex(/^(?:pay|res)_[0-9]{4,}$/, 'expected an id such as res_0003');

export const transferSchema = z.strictObject({ vendor: vendorSchema, iban: ibanSchema, cents: centsSchema });
export type Transfer = z.infer<typeof transferSchema>;

export const undoSchema = z.strictObject({ undoes: idempotencyKeySchema });
export type Undo = z.infer<typeof undoSchema>;

export const settlementSchema = z
  .strictObject({
    reservation: idSchema.optional(),
    reservationKey: idempotencyKeySchema.optional(),
    iban: ibanSchema,
    vendor: vendorSchema.optional(),
    cents: centsSchema.optional(),
  })
  .refine((s) => (s.reservation === undefined) !== (s.reservationKey === undefined), 'expected either reservation or reservationKey');
export type Settlement = z.infer<typeof settlementSchema>;

export const lookupSchema = z.strictObject({ key: idempotencyKeySchema });
export const accountSchema = z.strictObject({ closed: z.boolean() });
export const ibanParamSchema = z.strictObject({ iban: ibanSchema });

/** Replaces all faults: what is left out is off. */
export const faultsSchema = z.strictObject({
  delayMs: z.int().min(0).max(600_000).default(0),
  dropAfterCommit: z.int().min(0).max(1_000_000).default(0),
  failBefore: z.int().min(0).max(1_000_000).default(0),
});
export type FaultSettings = z.infer<typeof faultsSchema>;

export const paymentSchema = z.strictObject({ id: idSchema, ...transferSchema.shape, at: z.int() });
export type Payment = z.infer<typeof paymentSchema>;

export const reservationSchema = z.strictObject({ ...paymentSchema.shape, state: z.enum(['reserved', 'settled']) });
export type Reservation = z.infer<typeof reservationSchema>;

export const refundSchema = z.union([
  z.strictObject({ refunded: z.literal(true), id: idSchema }),
  z.strictObject({ refunded: z.literal(false) }),
]);
export type Refund = z.infer<typeof refundSchema>;

export const releaseSchema = z.union([
  z.strictObject({ released: z.literal(true), id: idSchema }),
  z.strictObject({ released: z.literal(false) }),
]);
export type Release = z.infer<typeof releaseSchema>;

export const foundSchema = z.union([
  z.strictObject({ done: z.literal(true), result: z.json() }),
  z.strictObject({ done: z.literal(false), fenced: z.literal(true) }),
]);
export type Found = z.infer<typeof foundSchema>;

export const balanceSchema = z.strictObject({ iban: ibanSchema, cents: z.int(), closed: z.boolean() });
export type Balance = z.infer<typeof balanceSchema>;

export const entrySchema = z.strictObject({
  id: idSchema,
  kind: z.enum(['payment', 'reservation']),
  cents: centsSchema,
  vendor: vendorSchema,
  iban: ibanSchema,
  state: z.enum(['paid', 'refunded', 'reserved', 'settled', 'released']),
  at: z.int(),
  key: idempotencyKeySchema,
});
export type Entry = z.infer<typeof entrySchema>;

export const problemSchema = z.strictObject({ code: z.string(), message: z.string() });
