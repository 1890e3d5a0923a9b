import { z } from 'zod';
import { jsonSchema } from './json-schema.js';
import { ERROR_CODES, type Retry } from './codes.js';
import { actionIdSchema, type ActionId } from './ids.js';
import type { Json } from './json.js';

/** Every status an action can have, with the one thing everybody asks: what became of the world (§5). */
export const STATUSES = {
  evaluating: { effect: 'none', final: false },
  awaiting_approval: { effect: 'none', final: false },
  approved: { effect: 'none', final: false },
  executing: { effect: 'in_progress', final: false },
  compensating: { effect: 'in_progress', final: false },
  outcome_unknown: { effect: 'unknown', final: false },
  compensation_failed: { effect: 'partial', final: false },
  denied: { effect: 'none', final: true },
  rejected: { effect: 'none', final: true },
  expired: { effect: 'none', final: true },
  execution_expired: { effect: 'none', final: true },
  cancelled: { effect: 'none', final: true },
  failed: { effect: 'none', final: true },
  succeeded: { effect: 'done', final: true },
  compensated: { effect: 'undone', final: true },
} as const;

export type Status = keyof typeof STATUSES;
export type Effect = (typeof STATUSES)[Status]['effect'];
/** The statuses only a ledger entry can give. */
export const END_STATUSES = [
  'denied',
  'rejected',
  'expired',
  'execution_expired',
  'cancelled',
  'failed',
  'succeeded',
  'compensated',
] as const;
export type EndStatus = (typeof END_STATUSES)[number];
export const statusSchema = z.enum(Object.keys(STATUSES) as [Status, ...Status[]]);
export const endStatusSchema = z.enum(END_STATUSES);

/** Why an action stands where it does. `code` is an error code, or the status itself where nothing went wrong. */
export const reasonSchema = z.strictObject({
  code: z.enum([...ERROR_CODES, ...(Object.keys(STATUSES) as [Status, ...Status[]])]),
  text: z.string().max(4_000),
  /** Who caused it: `person:ana`, `agent:ap-agent`, `unsigned`. */
  by: z.string().max(100).optional(),
});
export type Reason = z.infer<typeof reasonSchema>;

export const retrySchema = z.enum(['never', 'same', 'new_proposal']);

export interface Outcome {
  readonly id: ActionId;
  readonly status: Status;
  readonly effect: Effect;
  readonly final: boolean;
  readonly reason: Reason;
  readonly result?: Json;
  readonly retry: Retry;
}
export const outcomeSchema = z.strictObject({
  id: actionIdSchema,
  status: statusSchema,
  effect: z.enum(['none', 'in_progress', 'done', 'undone', 'partial', 'unknown']),
  final: z.boolean(),
  reason: reasonSchema,
  result: jsonSchema.optional(),
  retry: retrySchema,
});

const RETRY: Partial<Record<Status, Retry>> = {
  expired: 'new_proposal',
  execution_expired: 'new_proposal',
  cancelled: 'new_proposal',
  failed: 'new_proposal',
  compensated: 'new_proposal',
};

/** The outcome a status stands for. A rejected or denied action is not to be retried unless its code says so. */
export function outcomeOf(id: ActionId, status: Status, reason: Reason, extra: { result?: Json; retry?: Retry } = {}): Outcome {
  const { effect, final } = STATUSES[status];
  const retry = extra.retry ?? RETRY[status] ?? 'never';
  return { id, status, effect, final, reason, retry, ...(extra.result === undefined ? {} : { result: extra.result }) };
}
