import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { fromBase64Url, fromUtf8 } from '../../src/domain/bytes.js';
import { CODES, type ErrorCode } from '../../src/domain/codes.js';
import { digestOfSigned, readPayload, signedSchema, verifySigned, type Signed } from '../../src/domain/dsse.js';
import { actionSchema, readSchema, type ActionLine, type ActionResource, type MessageAnswer } from '../../src/domain/http.js';
import { postReviewOf } from '../../src/domain/post-review.js';
import { extendReceipt } from '../../src/domain/receipt.js';
import { outcomeOf, type Outcome } from '../../src/domain/outcome.js';
import { HandLedger, seal, sealAfter, type EnvelopeChanges } from '../helpers/hand-made.js';
import type { SealedRevision } from '../helpers/messages.js';
import { AGENT, keyOfPerson } from '../helpers/signers.js';
import { snapshotOf } from '../helpers/snapshots.js';
import { toInstant, toMs } from '../../src/domain/instant.js';
import { PEOPLE } from '../helpers/rules-fixture.js';

/** One action as a fake API tells of it: sealed revisions and entries are real signatures, everything else is what the test says. */
export class FakeAction {
  readonly revisions: SealedRevision[] = [];
  readonly ledger: HandLedger;
  readonly decisions: Signed[] = [];
  readonly messages: Signed[] = [];
  /** What the API claims, where the test does not leave it to the entries. */
  claims: Partial<ActionResource> = {};
  outcome: Outcome;

  constructor(changes: EnvelopeChanges = {}) {
    const now = Date.now() - 1_000;
    const first = seal({ openedAt: toInstant(now), sealedAt: toInstant(now), approveBy: toInstant(now + 86_400_000), ...changes });
    this.ledger = new HandLedger(first.id);
    this.outcome = outcomeOf(first.id, 'awaiting_approval', { code: 'awaiting_approval', text: 'none' });
    this.add(first, 'request');
  }

  get id(): SealedRevision['id'] {
    return this.newest.id;
  }
  get newest(): SealedRevision {
    const newest = this.revisions.at(-1);
    if (newest === undefined) throw new Error('no revision');
    return newest;
  }
  private add(revision: SealedRevision, cause: 'request' | 'modify'): void {
    this.revisions.push(revision);
    this.ledger.sealed(revision, cause, toMs(revision.envelope.sealedAt));
  }
  modified(editor: string, changes: EnvelopeChanges): void {
    this.add(sealAfter(this.newest, editor, changes), 'modify');
  }
  /** The executor's own word: it ran. */
  ran(): void {
    this.ledger.ran(this.newest, this.decisions.map(digestOfSigned), Date.now());
    this.outcome = outcomeOf(this.id, 'succeeded', { code: 'succeeded', text: 'It ran.' });
  }

  resource(): ActionResource {
    const { id, revisions, ledger, decisions, messages, outcome, newest } = this;
    const snapshot = snapshotOf({ id, revisions, entries: ledger.entries, decisions, messages });
    const rest = Object.fromEntries(Object.entries(snapshot).filter(([member]) => member !== 'request'));
    return actionSchema.parse({
      ...rest,
      outcome,
      type: newest.envelope.type.name,
      agent: newest.envelope.agent,
      sentence: newest.envelope.summary,
      openQuestions: [],
      questions: [],
      postReview: postReviewOf(extendReceipt([], id, ledger.entries) ?? []),
      stale: false,
      running: !outcome.final,
      ...this.claims,
    });
  }
  /** As visibility alone tells while no worker answers. */
  goStale(): void {
    this.claims = { stale: true, envelopes: [], entries: [], decisions: [], signedDecisions: [], digest: null, view: null, revision: 0 };
  }
  line(): ActionLine {
    const { id, outcome, newest } = this;
    const { type, agent, risk, rule, approveBy, openedAt } = newest.envelope;
    const seen = { type: type.name, agent, risk, rule: rule.name, awaiting: [], deadline: approveBy, startedAt: openedAt };
    return { id, status: outcome.status, ...seen };
  }
}

export interface Posted {
  readonly path: string;
  readonly signed: Signed;
}
type Reply = { readonly status: number; readonly body: unknown };

/** A stand-in for the API: it tells what the test wants told, and keeps what it is sent. Not the product's server: no judgement, no Temporal. */
export class FakeApi {
  readonly posted: Posted[] = [];
  /** Paths of reads that carried no valid signature for exactly that path. */
  readonly unsigned: string[] = [];
  evidence = new Uint8Array();
  /** Answers a POST; left out: counted, and kept among the action's decisions. */
  onPost: ((posted: Posted, action: FakeAction) => Reply) | undefined;

  private constructor(
    private readonly server: Server,
    readonly actions: FakeAction[],
    readonly url: string,
  ) {}

  static async start(...actions: FakeAction[]): Promise<FakeApi> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const api = new FakeApi(server, actions, `http://127.0.0.1:${port}`);
    server.on('request', (request, response) => {
      void api.reply(request).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
        response.end(body instanceof Uint8Array ? body : JSON.stringify(body));
      });
    });
    return api;
  }
  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async reply(request: IncomingMessage): Promise<Reply> {
    const path = request.url ?? '';
    if (request.method === 'POST' || request.method === 'DELETE') return this.post(path, await bodyOf(request));
    if (!isSignedRead(request.headers.authorization, path)) this.unsigned.push(path);
    const [, id, rest] = /^\/v1\/actions\/([a-z0-9_]+)(\/evidence)?/.exec(path) ?? [];
    if (id === undefined) return { status: 200, body: { actions: this.actions.map((action) => action.line()), next: null } };
    const action = this.actions.find((each) => each.id === id);
    if (action === undefined) return problem('request_invalid', 404);
    return { status: 200, body: rest === undefined ? action.resource() : this.evidence };
  }

  private post(path: string, body: unknown): Reply {
    const posted = { path, signed: signedSchema.parse(body) };
    this.posted.push(posted);
    const action = this.actions.find((each) => path.includes(each.id)) ?? this.actions[0];
    if (action === undefined) return problem('request_invalid', 404);
    if (this.onPost !== undefined) return this.onPost(posted, action);
    if (path.endsWith('/decisions')) action.decisions.push(posted.signed);
    return { status: 200, body: answerTo(posted, action) };
  }
}

/** What the API says of a message that counted. */
export const answerTo = ({ signed }: Posted, action: FakeAction, over: Partial<MessageAnswer> = {}): MessageAnswer => ({
  id: action.id,
  digest: digestOfSigned(signed),
  fate: { state: 'counted' },
  judged: true,
  status: action.outcome.status,
  progress: null,
  outcome: null,
  ...over,
});

export const problem = (code: ErrorCode, status: number = CODES[code].status, detail: string = CODES[code].message): Reply => ({
  status,
  body: {
    type: `urn:keyturn:problem:${code}`,
    title: CODES[code].message,
    status,
    code,
    detail,
    remedy: CODES[code].remedy,
    retry: CODES[code].retry,
  },
});

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text);
}

const READERS = [AGENT, ...PEOPLE.map((person) => keyOfPerson(person))];

function isSignedRead(header: string | undefined, path: string): boolean {
  if (header?.startsWith('Keyturn ') !== true) return false;
  const signed = signedSchema.parse(JSON.parse(fromUtf8(fromBase64Url(header.slice('Keyturn '.length)))));
  const read = readSchema.parse(readPayload('read', signed));
  const isFresh = Math.abs(toMs(read.issuedAt) - Date.now()) < 60_000;
  return isFresh && read.path === path && READERS.some((reader) => verifySigned('read', signed, reader.key));
}
