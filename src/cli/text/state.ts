import type { ViewV1 } from '../../domain/view/v1.js';
import { canonicalize } from '../../domain/json.js';
import type { VerifiedAction } from '../action/verified.js';
import { votesOf, type Votes } from '../action/votes.js';
import { inert } from './inert.js';
import type { Page } from './page.js';
import { postReviewLine } from './post-review.js';
import { atUtc, leftUntil } from './time.js';

/** What became of it, in one line: `succeeded effect: done`. */
export const outcomeLine = ({ status, effect }: VerifiedAction['outcome']): string => `${status} effect: ${effect}`;

/** Votes and who can still decide, then the time left and what happens at zero; of an action that has ended, its end. `now` in ms. */
export function renderState(page: Page, action: VerifiedAction, view: ViewV1, now: number): void {
  const votes = votesOf(action, now);
  renderVotes(page, action, view, votes);
  const { outcome } = action;
  if (outcome.final || outcome.effect !== 'none') renderOutcome(page, action, now);
  else renderTime(page, action, view, votes, now);
}

const SAID = { approve: 'approved', reject: 'rejected', modify: 'modified', ask: 'asked', withdraw: 'withdrew' } as const;

function renderVotes(page: Page, { resource, outcome }: VerifiedAction, view: ViewV1, { have, need, awaiting }: Votes): void {
  page.title(`Votes: ${have} of ${need}`);
  page.rows(
    view.stages.flatMap(({ name, quorum, people, remind, escalate }) => [
      [name, `${quorum} of ${people.join(', ')}`] as const,
      ...(remind.length === 0 ? [] : [['', `reminded after ${remind.join(', ')}`] as const]),
      ...escalate.map((tier) => ['', tier] as const),
    ]),
  );
  if (view.delegates !== undefined) page.text(`Those asked may hand over to: ${view.delegates.join(', ')}`);
  for (const { person, for: seat, verdict, revision, reason, fate } of resource.decisions) {
    // Shown above, with its answer and only if it is signed.
    if (verdict === 'ask' && fate.state === 'taken') continue;
    const why = reason === null ? '' : `: "${inert(reason)}"`;
    const became = fate.state === 'refused' ? `refused, ${fate.code}` : fate.state;
    page.text(`${person} ${SAID[verdict]}${seat === undefined ? '' : ` for ${seat}`}, revision ${revision}, ${became}${why}`, '- ');
  }
  if (!outcome.final) page.text(`Can still decide: ${awaiting.length === 0 ? 'nobody' : awaiting.join(', ')}`);
  for (const { person, why } of view.neverCounted) page.text(`Never counted: ${person}, who ${why}`);
}

function renderTime(page: Page, { outcome }: VerifiedAction, { deadlines }: ViewV1, { executeBy, notBefore }: Votes, now: number): void {
  page.title('Time');
  const by = executeBy ?? deadlines.approveBy;
  page.text(`${leftUntil(by, now)}, until ${atUtc(by)}. Then: ${deadlines.atZero}.`);
  if (notBefore !== undefined) page.text(`Nothing starts before ${atUtc(notBefore)}, whoever agrees.`);
  if (executeBy === undefined)
    page.text(`Once agreed it starts within ${deadlines.executeWithin} of the newest vote that counts, or not at all.`);
  page.text(`${deadlines.rejections === 1 ? 'One rejection ends it' : `${deadlines.rejections} rejections end it`}.`);
  if (outcome.status !== 'awaiting_approval') page.text(`Now: ${outcome.status}. ${inert(outcome.reason.text)}`);
}

/** Where an action stands, or how it ended, in words. */
export function renderOutcome(page: Page, { outcome, proof, receipt }: VerifiedAction, now: number): void {
  page.title(`Outcome: ${outcomeLine(outcome)}`);
  const by = outcome.reason.by === undefined ? '' : ` (${inert(outcome.reason.by)})`;
  page.text(inert(outcome.reason.text) + by);
  if (outcome.result !== undefined) page.text(`result: ${inert(canonicalize(outcome.result))}`);
  const review = postReviewLine(receipt, now);
  if (review !== undefined) page.alarm(review);
  if (proof === 'claimed') page.alarm('only the API says so: no entry signed by an executor proves this end');
  if (outcome.effect === 'unknown' || outcome.effect === 'partial') page.alarm('a person must find out and say so: keyturn resolve');
}
