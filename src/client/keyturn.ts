import { randomBytes } from 'node:crypto';
import type { Json, JsonObject } from '../domain/json.js';
import { actionOf, isSettled, type Action } from './action.js';
import { call } from './http.js';
import { actionIdOf } from './receipt.js';
import { settingsFrom, type KeyturnOptions, type Settings } from './settings.js';

/** How long one message is tried again while the API does not answer. `wait` has a time of its own. */
const PATIENCE_MS = 15_000;
const LONG_POLL_S = 25;

export interface ProposeOptions {
  /** The agent's own words to the reviewers. */
  readonly reason: string;
  /** One key, one action, for ever: after a crash the same key finds the same action. */
  readonly idempotencyKey: string;
  /** Whatever helps reviewers decide; JSON. */
  readonly context?: Json;
  /** The person the agent acts for, by roster id: that person never counts as a reviewer. */
  readonly onBehalfOf?: string;
}

export interface WaitOptions {
  /** Left out: as long as it takes. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * An agent's side of Keyturn. It can propose, read and cancel its own actions and answer questions about them; it can never decide one.
 * @example
 * const keyturn = new Keyturn(); // KEYTURN_URL, KEYTURN_DEPLOYMENT, KEYTURN_AGENT, KEYTURN_AGENT_KEY
 * const action = await keyturn.propose('payments.transfer', { vendor, cents }, { reason, idempotencyKey: 'invoice-2291' });
 * const outcome = await keyturn.wait(action.id);
 * if (outcome.effect === 'done') …
 */
export class Keyturn {
  private readonly settings: Settings;

  /** Throws `TypeError` if no deployment, agent or credential is given, in the environment or in `.env`. */
  constructor(options: KeyturnOptions = {}) {
    this.settings = settingsFrom(options);
  }

  /**
   * Puts an action before the people the policy names. Returns as soon as it is sealed, or after a few seconds as `evaluating`.
   * The same key and body again is the same action. Throws `KeyturnError` (`params_invalid`, `type_unknown`, `idempotency_key_reused`, …).
   */
  async propose(type: string, params: JsonObject, { reason, idempotencyKey, context, onBehalfOf }: ProposeOptions): Promise<Action> {
    const { deployment, agent, credential } = this.settings;
    const request = {
      v: 1,
      deployment,
      agent,
      type,
      params,
      reason,
      idempotencyKey,
      ...(context === undefined ? {} : { context }),
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    };
    const body = credential.kind === 'key' ? credential.key.sign('request', request) : request;
    return actionOf(await this.send('/v1/actions', body), actionIdOf(deployment, agent, idempotencyKey), this.settings);
  }

  /** The action as it stands now. Throws `KeyturnError` with status 404 for one that is not this agent's. */
  async get(id: string): Promise<Action> {
    return actionOf(await call(this.settings, pathOf(id), { until: Date.now() + PATIENCE_MS }), id, this.settings);
  }

  /**
   * Waits for the end, hours or days, across restarts of the API, the worker and Temporal. Returns early with a reviewer's question, when the
   * run was terminated in Temporal, and when `timeoutMs` is over: look at `final`. Throws on abort, and `KeyturnError` on a refusal.
   */
  async wait(id: string, { timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitOptions = {}): Promise<Action> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      signal?.throwIfAborted();
      const left = Math.max(0, end - Date.now());
      const seconds = Math.min(LONG_POLL_S, Math.ceil(left / 1_000));
      const action = actionOf(
        await call(this.settings, `${pathOf(id)}?wait=${seconds}`, { until: end, ...(signal === undefined ? {} : { signal }) }),
        id,
        this.settings,
      );
      if (isSettled(action) || Date.now() >= end) return action;
    }
  }

  /** Asks for an end: before anything ran it is `cancelled`, after that what ran is undone. Returns the action as it stands then. */
  async cancel(id: string): Promise<Action> {
    const { deployment, agent, credential } = this.settings;
    const cancel = {
      v: 1,
      deployment,
      actionId: id,
      by: `agent:${agent}`,
      nonce: randomBytes(16).toString('hex'),
      issuedAt: new Date().toISOString(),
    };
    await this.send(`${pathOf(id)}/cancel`, credential.kind === 'key' ? credential.key.sign('cancel', cancel) : {});
    return this.get(id);
  }

  /**
   * Answers a reviewer's question: `question` is the digest of one of `openQuestions`. The same text again is the same answer; another one is refused
   * with `question_answered`. Returns the action as it stands then.
   * @example
   * for (const { digest, question } of outcome.openQuestions) await keyturn.answer(outcome.id, digest, explain(question));
   */
  async answer(id: string, question: string, text: string): Promise<Action> {
    const { deployment, agent, credential } = this.settings;
    const reply = {
      v: 1,
      deployment,
      actionId: id,
      agent,
      question,
      text,
      nonce: randomBytes(16).toString('hex'),
      issuedAt: new Date().toISOString(),
    };
    await this.send(`${pathOf(id)}/answers`, credential.kind === 'key' ? credential.key.sign('reply', reply) : { question, text });
    return this.get(id);
  }

  private send(path: string, body: unknown): Promise<unknown> {
    return call(this.settings, path, { body, until: Date.now() + PATIENCE_MS });
  }
}

const pathOf = (id: string): string => `/v1/actions/${encodeURIComponent(id)}`;
