import { randomBytes } from 'node:crypto';
import { CODES } from '../../domain/codes.js';
import { digestOfSigned, type Signed } from '../../domain/dsse.js';
import { messageAnswerSchema, type MessageAnswer } from '../../domain/http.js';
import type { ActionId, Digest } from '../../domain/ids.js';
import { toInstant } from '../../domain/instant.js';
import { decisionSchema } from '../../domain/objects/decision.js';
import type { Fate } from '../../domain/review/fate.js';
import type { Desk } from '../desk.js';
import { CliError, usage } from '../errors.js';
import { EXIT, type ExitCode } from '../exit.js';
import { short } from '../ids.js';
import type { Author } from '../identity.js';
import { inert, issuesOf } from '../text/inert.js';
import type { Look } from './shown.js';
import type { VerifiedAction } from './verified.js';

/** How long a command waits for a message to be judged, and for the end it may bring. */
export const PATIENCE_MS = 10_000;

/** One decision, signed with the person's own key over exactly what was seen. Throws usage on a text that does not fit. */
export function signDecision(author: Author, id: ActionId, seen: Look, what: Readonly<Record<string, unknown>>, now: number): Signed {
  const decision = decisionSchema.safeParse({
    v: 1,
    deployment: author.deployment,
    actionId: id,
    ...seen,
    person: author.id,
    keyId: author.signer.key.id,
    ...freshness(now),
    ...what,
  });
  if (!decision.success) throw usage(`this is no decision: ${issuesOf(decision.error)}`, 'Correct what it names.');
  return author.signer.sign('decision', decision.data);
}

/** What makes a signed message one of its kind: nobody can send it twice as two. */
export const freshness = (now: number): { readonly nonce: string; readonly issuedAt: string } => ({
  nonce: randomBytes(16).toString('hex'),
  issuedAt: toInstant(now),
});

/** What a message came to: judged, or kept by Temporal until a worker lives again. */
export type Judged =
  | { readonly recorded: true }
  | { readonly recorded: false; readonly digest: Digest; readonly answer: MessageAnswer; readonly action: VerifiedAction | undefined };

/** Sends a signed message and waits until it is judged. Throws the refusal, with its code, if it is refused. */
export async function send(
  desk: Desk,
  id: ActionId,
  door: 'decisions' | 'cancel' | 'answers' | 'resolutions' | 'reviews',
  signed: Signed,
): Promise<Judged> {
  const { value: answer } = await desk.api.post(`/v1/actions/${id}/${door}`, signed, messageAnswerSchema);
  const digest = digestOfSigned(signed);
  throwIfRefused(answer.fate);
  if (!answer.judged) return { recorded: true };
  if (answer.fate.state !== 'waiting') return { recorded: false, digest, answer, action: undefined };
  const action = await desk.readUntil(id, (seen) => !isWaiting(fateIn(seen, digest)), PATIENCE_MS);
  const fate = action === undefined ? undefined : fateIn(action, digest);
  if (fate !== undefined) throwIfRefused(fate);
  return isWaiting(fate) ? { recorded: true } : { recorded: false, digest, answer, action };
}

const isWaiting = (fate: Fate | undefined): boolean => fate === undefined || fate.state === 'waiting';

const fateIn = ({ resource }: VerifiedAction, digest: Digest): Fate | undefined =>
  resource.replies.some((each) => each.digest === digest)
    ? { state: 'taken' }
    : [...resource.decisions, ...resource.messages].find((each) => each.digest === digest)?.fate;

function throwIfRefused(fate: Fate): void {
  if (fate.state === 'refused') throw new CliError(fate.code, inert(fate.text), CODES[fate.code].remedy);
}

/** Says plainly that nobody has judged it yet. */
export function sayRecorded({ session }: Desk, id: ActionId): ExitCode {
  session.answer({ id, recorded: true, judged: false }, [
    'recorded, not yet judged: Temporal keeps it until a worker lives again',
    `ask later: keyturn get ${short(id)}`,
  ]);
  return EXIT.waiting;
}

/** The signed message itself, for `curl --data @-`: nothing is sent. */
export function print({ session }: Desk, signed: Signed): ExitCode {
  session.terminal.out(JSON.stringify(signed));
  return EXIT.ok;
}
