import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { refuse } from '../domain/codes.js';
import type { Signer } from '../domain/dsse.js';
import type { Api, Call, Log, Variables } from './api.js';
import { Limited, Limits } from './limits.js';
import { Looks } from './looks.js';
import { Manifests } from './manifests.js';
import { Metrics } from './metrics.js';
import { openApiDocument } from './openapi/document.js';
import { docsPage } from './openapi/page.js';
import { policyReader } from './policy.js';
import { problemResponse, Refused, temporalAway } from './problem.js';
import { Places } from './proposals/places.js';
import { rosterReader } from './roster.js';
import { methodsAt, register, type Route } from './route.js';
import { ROUTES } from './routes/all.js';
import { isNoAnswer } from './temporal/calls.js';
import { Pending } from './temporal/pending.js';
import { Probe } from './temporal/probe.js';
import { Waits } from './temporal/waits.js';
import { Windows } from './temporal/windows.js';

export interface ApiOptions {
  readonly client: Client;
  readonly rosterFile: string;
  /** Left out: it makes no dry runs. */
  readonly policyFile?: string | undefined;
  /** Vouches for agents with a bearer key. Left out: none is served. */
  readonly apiSigner?: Signer | undefined;
  /** Left out: the usual, by the clock. */
  readonly limits?: Limits | undefined;
  readonly log: Log;
}

export interface CreatedApi {
  /** `from`: the address of the connection. */
  readonly fetch: (request: Request, from?: string) => Response | Promise<Response>;
  /** Ends everything that waits. Close the Temporal connection only after the answers are out. */
  end(): void;
}

/** The HTTP API as one fetch function. Opens nothing and reads no file until it is asked. */
export function createApi({ client, rosterFile, policyFile, apiSigner, limits = new Limits(), log }: ApiOptions): CreatedApi {
  const api: Api = {
    client,
    log,
    signer: apiSigner,
    roster: rosterReader(rosterFile, log),
    policy: policyReader(policyFile, rosterFile, log),
    manifests: new Manifests(client),
    waits: new Waits(),
    looks: new Looks(),
    metrics: new Metrics(),
    limits,
    places: new Places(client),
    pending: new Pending(client),
    probe: new Probe(client),
    windows: new Windows(),
  };
  const app = new OpenAPIHono<Variables>();
  app.use(async (c, next) => {
    const from = performance.now();
    c.set('requestId', requestIdOf(c));
    c.set('route', 'none');
    c.set('limits', api.limits);
    c.set('from', c.env.from ?? 'unknown');
    await next();
    finish(api, c, performance.now() - from);
  });
  app.onError((error, c) => failed(api, c, error));
  app.notFound((c) => problemResponse(unknownRoute(c), c.get('requestId')));

  const routes = [...ROUTES, ...documentRoutes(app)];
  for (const route of routes) register(app, api, route);
  const unknownRoute = (c: Call): Refused => {
    const methods = methodsAt(routes, c.req.path);
    if (methods.length === 0)
      return new Refused(refuse('request_invalid', 'there is nothing at this path'), { status: 404, remedy: 'See /docs.' });
    const allow = { allow: methods.join(', ') };
    return new Refused(refuse('request_invalid', `${c.req.method} is not taken here`), {
      status: 405,
      remedy: `Use ${methods.join(' or ')}.`,
      headers: allow,
    });
  };
  return { fetch: (request, from) => app.fetch(request, { from }), end: () => api.waits.end() };
}

/** The document of the others, as text made once when somebody asks: anybody may, as often as they like. */
function documentRoutes(app: OpenAPIHono<Variables>): Route[] {
  const open = { method: 'get', access: 'open' } as const;
  const written = (type: string, make: () => string): Route['handle'] => {
    let made: string | undefined;
    return async () => new Response((made ??= make()), { headers: { 'content-type': type } });
  };
  const json: Route = {
    ...open,
    path: '/openapi.json',
    summary: 'This API as OpenAPI 3.1.',
    answers: { 200: 'OpenAPI 3.1' },
    handle: written('application/json', () => JSON.stringify(openApiDocument(app))),
  };
  const page: Route = {
    ...open,
    path: '/docs',
    summary: 'This list.',
    answers: { 200: 'text/html' },
    handle: written('text/html; charset=utf-8', () => docsPage([...ROUTES, json, page])),
  };
  return [json, page];
}

function requestIdOf(c: Call): string {
  const given = c.req.header('x-request-id') ?? '';
  return /^[A-Za-z0-9_-]{1,64}$/.test(given) ? given : randomUUID();
}

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
} as const;

function finish({ metrics, log }: Api, c: Call, ms: number): void {
  for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
  c.res.headers.set('x-request-id', c.get('requestId'));
  const { method } = c.req;
  const labels = { method: ['GET', 'HEAD', 'POST', 'DELETE'].includes(method) ? method : 'other', route: c.get('route') };
  metrics.count('keyturn_api_requests_total', { ...labels, status: String(c.res.status) });
  metrics.took('keyturn_api_request_seconds', labels, ms / 1_000);
  log.info({ requestId: c.get('requestId'), method, path: c.req.path, status: c.res.status, ms: Math.round(ms) }, 'answered');
}

/** Nobody known stands behind the message, or nobody who may send it here. */
const UNKNOWN: ReadonlySet<string> = new Set(['credential_invalid', 'signature_invalid', 'not_a_reviewer', 'request_too_large']);

/** Every error ends as a problem with a code; what nobody foresaw is told to the log alone. */
function failed({ metrics, log, limits }: Api, c: Call, error: Error): Response {
  const requestId = c.get('requestId');
  let known = error instanceof Refused ? error : undefined;
  if (known === undefined && isNoAnswer(error))
    known = temporalAway('Temporal does not answer. Nothing that this answer does not call recorded is recorded.');
  if (known === undefined) {
    // Temporal's client says only what it was doing; the server's own words are in the cause.
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    log.error({ requestId, error: error.stack ?? String(error), cause }, 'unforeseen error');
    const text = `The API failed while answering; what this answer does not call recorded may not be. Its log knows more, under ${requestId}.`;
    known = new Refused(refuse('temporal_unavailable', text), { status: 500 });
  }
  // Whoever shows no valid credential is refused as often as others, and then no more.
  if (UNKNOWN.has(known.refusal.code)) known = limits.stranger(c.get('from')) ?? known;
  if (known instanceof Limited) metrics.count('keyturn_api_limited_total', { limit: known.limit });
  metrics.count('keyturn_api_refusals_total', { code: known.refusal.code });
  return problemResponse(known, requestId);
}
