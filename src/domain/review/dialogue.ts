import { refuse, type Refusal } from '../codes.js';
import { digestOfSigned, readPayload, type Signed } from '../dsse.js';
import type { ActionId, AgentId, Digest } from '../ids.js';
import { MAX_REPLY_CHARS, replySchema, type Reply } from '../objects/reply.js';
import type { Fate } from './fate.js';

/** Questions one action takes. */
export const MAX_QUESTIONS = 20;
/** Answers kept a question: the workflow knows no agents' keys, and a forged one must not keep the agent's own out. */
export const MAX_REPLIES = 4;

interface Kept {
  readonly digest: Digest;
  readonly reply: Reply;
  readonly signed: Signed;
}

/** What the agent of an action is known by here, and what it was asked. */
export interface Asked {
  readonly actionId: ActionId;
  /** Undefined while nothing is sealed. */
  readonly agent: AgentId | undefined;
  readonly questions: ReadonlySet<Digest>;
}

/**
 * Answers to the reviewers' questions, as the workflow holds them: shape and address are checked, signatures are not, for a workflow knows no agents'
 * keys. API, command line and evidence check them by a roster and show no other.
 */
export class Dialogue {
  private readonly kept = new Map<Digest, Kept>();
  private readonly untold: Kept[] = [];

  /** Undefined: welcome. */
  examine(signed: Signed, asked: Asked): Refusal | undefined {
    const reply = readReply(signed);
    if (reply === undefined) return refuse('request_invalid', 'not an answer: see the schema of reply v1');
    if (reply.actionId !== asked.actionId || reply.agent !== asked.agent) return refuse('audience_mismatch');
    if (!asked.questions.has(reply.question)) return refuse('request_invalid', 'this action was asked no such question');
    if (this.kept.has(digestOfSigned(signed))) return undefined;
    return this.answersTo(reply.question) < MAX_REPLIES
      ? undefined
      : refuse('rate_limited', 'this question has had more answers than are kept');
  }

  /** One that `examine` welcomed. A repeat changes nothing. */
  take(signed: Signed): Digest {
    const digest = digestOfSigned(signed);
    const reply = readReply(signed);
    if (reply === undefined || this.kept.has(digest)) return digest;
    const kept = { digest, reply, signed };
    this.kept.set(digest, kept);
    this.untold.push(kept);
    return digest;
  }

  fateOf(digest: Digest): Fate | undefined {
    return this.kept.has(digest) ? { state: 'taken' } : undefined;
  }

  /** There is an answer nobody was told of yet. */
  get hasNews(): boolean {
    return this.untold.length > 0;
  }
  /** The question of the next answer nobody was told of yet; each is told once. */
  nextToTell(): Digest | undefined {
    return this.untold.shift()?.reply.question;
  }

  answersTo(question: Digest): number {
    return [...this.kept.values()].filter(({ reply }) => reply.question === question).length;
  }

  /** In order of arrival. */
  replies(): { readonly digest: Digest; readonly question: Digest; readonly signed: Signed }[] {
    return [...this.kept.values()].map(({ digest, reply, signed }) => ({ digest, question: reply.question, signed }));
  }
}

/** The answer in these bytes, before anything is believed of it. */
export function readReply(signed: Signed): Reply | undefined {
  if (signed.payload.length > MAX_REPLY_CHARS) return undefined;
  return replySchema.safeParse(readPayload('reply', signed)).data;
}
