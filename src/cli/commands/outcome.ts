import { dialogueOf } from '../action/dialogue.js';
import { Desk } from '../desk.js';
import type { VerifiedAction } from '../action/verified.js';
import { votesOf } from '../action/votes.js';
import { CliError, usage } from '../errors.js';
import { EXIT, exitOf, type ExitCode } from '../exit.js';
import { short } from '../ids.js';
import { agent, person, type Author } from '../identity.js';
import type { Session } from '../session.js';
import { inert } from '../text/inert.js';
import { postReviewLine } from '../text/post-review.js';
import { outcomeLine } from '../text/state.js';
import type { Question } from '../../domain/dialogue.js';
import { canonicalize } from '../../domain/json.js';
import { parseDuration } from '../../domain/instant.js';
import { postReviewOf } from '../../domain/post-review.js';

export interface ReadOptions {
  readonly as?: string;
  readonly asAgent?: string;
}

/** The longest the API holds one answer back. */
const LONG_POLL_S = 25;
const RETRY_MS = 2_000;

/** `get ID`: where it stands, now. Exits by the outcome. */
export async function get(session: Session, idText: string, options: ReadOptions): Promise<ExitCode> {
  const desk = await Desk.open(session, await reader(session, options));
  const action = await desk.find(idText);
  tell(desk, action);
  return exitOfAction(action);
}

/**
 * `wait ID`: until it has ended, only a person can end it, a reviewer's question is open (exit 6), or the time given is over (exit 6). Waits through
 * restarts of everything.
 */
export async function wait(session: Session, idText: string, options: ReadOptions & { readonly timeout?: string }): Promise<ExitCode> {
  const patience = options.timeout === undefined ? Number.POSITIVE_INFINITY : parseDuration(options.timeout);
  if (patience === undefined) throw usage(`"${options.timeout ?? ''}" is no duration`, 'Write --timeout 30s, 10m or 8h.');
  const desk = await Desk.open(session, await reader(session, options));
  const end = session.now() + patience;
  let action = await desk.find(idText);
  while (!isOver(desk, action) && session.now() < end)
    action = await look(desk, action, Math.min(LONG_POLL_S, (end - session.now()) / 1_000));
  tell(desk, action);
  return exitOfAction(action);
}

/** Nothing to wait for: an end, something only a person can settle, or a run that was terminated in Temporal. */
const isOver = (desk: Desk, action: VerifiedAction): boolean =>
  action.outcome.final ||
  openQuestions(desk, action).length > 0 ||
  action.outcome.effect === 'unknown' ||
  action.outcome.effect === 'partial' ||
  isTerminated(action);

const openQuestions = ({ roster }: Desk, action: VerifiedAction): Question[] =>
  action.outcome.final ? [] : dialogueOf(action, roster).questions.filter(({ answer }) => answer === null);

const isTerminated = ({ outcome, resource }: VerifiedAction): boolean => !outcome.final && !resource.running && !resource.stale;

const exitOfAction = (action: VerifiedAction): ExitCode => (isTerminated(action) ? EXIT.person : exitOf(action.outcome));

async function look(desk: Desk, before: VerifiedAction, seconds: number): Promise<VerifiedAction> {
  try {
    const action = await desk.read(before.id, Math.max(1, Math.ceil(seconds)));
    // An API that answers at once is not asked again at once.
    if (!isOver(desk, action)) await new Promise((done) => setTimeout(done, Math.min(250, seconds * 1_000)));
    return action;
  } catch (error) {
    if (!(error instanceof CliError) || (error.code !== 'api_unreachable' && error.code !== 'temporal_unavailable')) throw error;
    await new Promise((done) => setTimeout(done, Math.min(RETRY_MS, seconds * 1_000)));
    return before;
  }
}

/** An agent asks with its own key where one is named; a person otherwise. */
const reader = (session: Session, { as, asAgent }: ReadOptions): Promise<Author> =>
  asAgent === undefined ? person(session, as) : agent(session, asAgent);

function tell(desk: Desk, action: VerifiedAction): void {
  const { session } = desk;
  const { outcome, id, resource, proof } = action;
  const { have, need, awaiting } = votesOf(action, session.now());
  const lines = [`${short(id)} ${outcomeLine(outcome)}${need === 0 || outcome.final ? '' : `  ${have} of ${need}`}`];
  if (resource.stale && !outcome.final) lines.push("  no worker answers: this is what Temporal's list knows");
  if (isTerminated(action)) lines.push('  its run in Temporal was terminated: nothing more happens, a person must look at what was done');
  const by = outcome.reason.by === undefined ? '' : ` (${inert(outcome.reason.by)})`;
  // Where nothing is wrong the reason only repeats the effect.
  if (outcome.reason.text !== outcome.effect) lines.push(`  ${inert(outcome.reason.text)}${by}`);
  if (outcome.result !== undefined) lines.push(`  result: ${inert(canonicalize(outcome.result))}`);
  const review = postReviewLine(action.receipt, session.now());
  if (review !== undefined) lines.push(`  ${review}`);
  if (awaiting.length > 0) lines.push(`  waiting for ${awaiting.join(', ')}`);
  const questions = openQuestions(desk, action);
  for (const { person: asker, question, digest } of questions) {
    lines.push(`  ${asker} asks: ${inert(question)}`);
    lines.push(`  answer: keyturn answer ${short(id)} '…'${questions.length === 1 ? '' : ` --question ${digest.slice(0, 12)}`}`);
  }
  if (proof === 'claimed') lines.push('  only the API says so: nothing was sealed, so no entry of an executor proves it');
  const asked = questions.map(({ digest, person: asker, question }) => ({ digest, person: asker, question }));
  const postReview = postReviewOf(action.receipt);
  session.answer({ ...outcome, proof, have, need, awaiting, openQuestions: asked, postReview, stale: resource.stale }, lines);
}
