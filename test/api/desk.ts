import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { Limits } from '../../src/api/limits.js';
import { startApi, type RunningApi } from '../../src/api/start-api.js';
import { PATIENCE_MS } from '../../src/api/temporal/calls.js';
import { toBase64Url, utf8 } from '../../src/domain/bytes.js';
import { digestOfSigned, readPayload, type Signed, type Signer } from '../../src/domain/dsse.js';
import { actionSchema, problemSchema, type ActionResource } from '../../src/domain/http.js';
import { toInstant } from '../../src/domain/instant.js';
import type { JsonObject } from '../../src/domain/json.js';
import { decisionSchema } from '../../src/domain/objects/decision.js';
import { envelopeSchema } from '../../src/domain/objects/envelope.js';
import { dataConverter } from '../../src/temporal/data-converter.js';
import { request, type Proposal, type SealedRevision } from '../helpers/messages.js';
import { replayAll } from '../helpers/replay.js';
import { Rig, type RigOptions } from '../helpers/rig.js';
import { DEPLOYMENT } from '../helpers/rules-fixture.js';
import { AGENT, API, keyOfPerson } from '../helpers/signers.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Who asks: a person's id, `agent` by its key, `bearer` by its bearer key, or nobody. */
export type Who = 'ana' | 'ben' | 'cleo' | 'dana' | 'eva' | 'agent' | 'bearer' | 'nobody' | Signer;

export const BEARER = { authorization: 'Bearer bearer' };

export function readHeader(signer: Signer, path: string, over: JsonObject = {}): { authorization: string } {
  // As `fetch` will send it.
  const url = new URL(path, 'http://api');
  const read = {
    v: 1,
    deployment: DEPLOYMENT,
    keyId: signer.key.id,
    method: 'GET',
    path: url.pathname + url.search,
    issuedAt: toInstant(Date.now()),
    ...over,
  };
  return { authorization: `Keyturn ${toBase64Url(utf8(JSON.stringify(signer.sign('read', read))))}` };
}

function headersOf(who: Who, path: string): Record<string, string> {
  if (who === 'nobody') return {};
  if (who === 'bearer') return BEARER;
  return readHeader(typeof who === 'object' ? who : who === 'agent' ? AGENT : keyOfPerson(who), path);
}

/** HTTP to one API, as a stranger would speak it. */
export class Caller {
  constructor(readonly url: string) {}

  get(who: Who, path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, undefined, { ...headersOf(who, path), ...headers });
  }
  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
  }
  async send(method: string, path: string, body?: RequestInit['body'], headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.url + path, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    const json = (response.headers.get('content-type') ?? '').includes('json') && text !== '';
    return { status: response.status, headers: response.headers, body: json ? (JSON.parse(text) as unknown) : text };
  }
}

/** The stable code of a refusal, with its status. Throws if it is no problem of RFC 9457. */
export function refusalOf(answer: Answer): string {
  if (!(answer.headers.get('content-type') ?? '').startsWith('application/problem+json'))
    throw new Error(`no problem: ${JSON.stringify(answer.body)}`);
  const { code, status } = problemSchema.parse(answer.body);
  if (status !== answer.status) throw new Error(`status ${status} in an answer with ${answer.status}`);
  return `${status} ${code}`;
}

/** The API in front of a real Temporal server, worker and executor. `stop` replays the history of every action proposed through it. */
export class Desk extends Caller {
  readonly ids = new Set<string>();
  private constructor(
    readonly rig: Rig,
    readonly api: RunningApi,
    readonly log: string[],
  ) {
    super(api.url);
  }

  static async open(options: RigOptions & { readonly limits?: Limits } = {}): Promise<Desk> {
    const rig = await Rig.start(options);
    const log: string[] = [];
    return new Desk(rig, await apiOf(rig.client, join(rig.dir, 'roster.yaml'), log, { limits: options.limits }), log);
  }

  override async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const answer = await super.post(path, body, headers);
    if (path === '/v1/actions' && answer.status < 300) this.ids.add(actionSchema.parse(answer.body).id);
    return answer;
  }

  async action(id: string, who: Who = 'ana'): Promise<ActionResource> {
    const answer = await this.get(who, `/v1/actions/${id}`);
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    return actionSchema.parse(answer.body);
  }

  /** Proposes as the agent and waits until it is held. */
  async held(proposal: Proposal = {}): Promise<SealedRevision> {
    const answer = await this.post('/v1/actions', request(proposal).signed);
    const action = actionSchema.parse(answer.body);
    if (action.outcome.status !== 'awaiting_approval') throw new Error(JSON.stringify(action.outcome));
    return sealedOf(action);
  }

  decide(signed: Signed, id = idIn(signed)): Promise<Answer> {
    return this.post(`/v1/actions/${id}/decisions`, signed);
  }

  async when(id: string, so: (action: ActionResource) => boolean, ms = 20_000): Promise<ActionResource> {
    for (const end = Date.now() + ms; ;) {
      const action = await this.action(id);
      if (so(action)) return action;
      if (Date.now() > end) throw new Error(`in vain: ${JSON.stringify(action.outcome)}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  async stop(): Promise<void> {
    try {
      await replayAll(this.rig.client, this.ids);
    } finally {
      await this.api.close();
      await this.rig.stop();
    }
  }
}

function idIn(signed: Signed): string {
  return decisionSchema.parse(readPayload('decision', signed)).actionId;
}

/** The newest revision of an action as the API showed it. */
export function sealedOf(action: ActionResource): SealedRevision {
  const signed = action.envelopes.at(-1);
  if (signed === undefined || action.digest === null || action.view === null) throw new Error('no envelope');
  const envelope = envelopeSchema.parse(readPayload('envelope', signed));
  if (digestOfSigned(signed) !== action.digest) throw new Error('another digest');
  return { id: envelope.actionId, digest: action.digest, view: action.view, envelope, signed, rejections: [] };
}

export function apiOf(
  client: Client,
  rosterFile: string,
  log: string[] = [],
  { policyFile, limits }: { readonly policyFile?: string; readonly limits?: Limits | undefined } = {},
): Promise<RunningApi> {
  const line =
    (level: string) =>
    (fields: object, text: string): void =>
      void log.push(`${level} ${text} ${JSON.stringify(fields)}`);
  return startApi({
    client,
    rosterFile,
    policyFile,
    limits,
    apiSigner: API,
    port: 0,
    log: { info: line('info'), warn: line('warn'), error: line('error') },
  });
}

/** A client of a Temporal that is not there. What is still tried again until its deadline would find a closed channel, so closing waits for it. */
export function deadClient(): { client: Client; close: () => Promise<void> } {
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  return { client: new Client({ connection, dataConverter }), close: () => sleep(2 * PATIENCE_MS).then(() => connection.close()) };
}
