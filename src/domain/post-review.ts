import { z } from 'zod';
import type { KeyRing } from './admit.js';
import type { Signed } from './dsse.js';
import { personIdSchema, type ActionId, type PersonId } from './ids.js';
import { instantSchema, toMs } from './instant.js';
import type { Entry } from './objects/entry.js';
import type { Envelope } from './objects/envelope.js';
import { reviewSchema, reviewVerdictSchema, type ReviewMessage } from './objects/review.js';
import { readSigned, refusedRead, signedBy, type Read } from './signed-message.js';

/** Where the post-review of an action stands. `none`: it ran by no break-glass rule, or never began. */
export const postReviewSchema = z.strictObject({
  state: z.enum(['none', 'open', 'signed']),
  verdict: reviewVerdictSchema.nullable(),
  /** Who signed so far. */
  by: z.array(personIdSchema),
  due: instantSchema.nullable(),
});
export type PostReview = z.infer<typeof postReviewSchema>;

type Owed = NonNullable<Extract<Entry, { kind: 'executing' }>['postReview']>;
type Entries = readonly { readonly entry: Entry }[];

/** The post-review an action owes since it began, by its entries: who may sign it, how many, and until when. */
export const owedBy = (entries: Entries): Owed | undefined =>
  entries.map(({ entry }) => entry).find((entry) => entry.kind === 'executing')?.postReview;

/** By the ledger's entries alone: no run of a workflow is needed to know it, and none can close it. */
export function postReviewOf(entries: Entries): PostReview {
  const owed = owedBy(entries);
  if (owed === undefined) return { state: 'none', verdict: null, by: [], due: null };
  const signed = entries.map(({ entry }) => entry).find((entry) => entry.kind === 'reviewed');
  if (signed !== undefined) return { state: 'signed', verdict: signed.verdict, by: [...signed.by], due: owed.due };
  return { state: 'open', verdict: null, by: signersOf(entries), due: owed.due };
}

/** Who has signed, by the entries, in order. */
const signersOf = (entries: Entries): PersonId[] =>
  entries.flatMap(({ entry }) =>
    entry.kind === 'lodged' && entry.object === 'review' ? [personIdSchema.parse(entry.by.replace(/^person:/, ''))] : [],
  );

/** Whose word the post-review of an ended action still waits for. */
export function reviewersAwaited(entries: Entries): PersonId[] {
  const people = owedBy(entries)?.people ?? [];
  const { state, by } = postReviewOf(entries);
  const ended = entries.some(({ entry }) => entry.kind === 'ended');
  return state === 'signed' || !ended ? [] : people.filter((person) => !by.includes(person));
}

/** Past its time without enough signatures. It stays open all the same. `now` in ms. */
export const isOverdue = ({ state, due }: PostReview, now: number): boolean => state === 'open' && due !== null && now >= toMs(due);

/** By somebody of these people, whose key stands in every ring given: the sealed one and the present roster's. `now` in ms. */
export function readReview(
  signed: Signed,
  action: { readonly deployment: string; readonly actionId: ActionId; readonly people: readonly PersonId[] },
  rings: readonly KeyRing[],
  now: number,
  party?: Envelope['webauthn'],
): Read<ReviewMessage> {
  const found = readSigned('review', reviewSchema, signed);
  if (found === undefined) return refusedRead('request_invalid', 'not a review: see the schema of review v1');
  const { value, digest } = found;
  if (value.deployment !== action.deployment || value.actionId !== action.actionId) return refusedRead('audience_mismatch');
  if (!action.people.includes(value.by))
    return refusedRead('not_eligible', `${value.by} does not review this: who let it run, changed it or owns its agent never does`);
  const holds = rings.every((ring) => signedBy('review', signed, value.by, value.issuedAt, ring, now, party) !== undefined);
  return holds ? { ok: true, value, digest } : refusedRead('signature_invalid');
}
