import type { z } from 'zod';
import { toBase64Url, utf8 } from '../domain/bytes.js';
import { problemSchema, readSchema } from '../domain/http.js';
import { toInstant } from '../domain/instant.js';
import { visible } from '../domain/view/visible.js';
import { CliError } from './errors.js';
import { issuesOf } from './text/inert.js';
import type { Author } from './identity.js';
import type { Session } from './session.js';
import { DEFAULT_URL } from './workspace.js';

const PATIENCE_MS = 20_000;

/** The API as one author sees it. Nothing it says is believed for being said by it: see `action/verified.ts`. */
export interface Api {
  readonly url: string;
  /** GET, with a read signed for this very path. `wait` in seconds lengthens the patience. */
  get<T>(path: string, schema: z.ZodType<T>, wait?: number): Promise<T>;
  bytes(path: string): Promise<Uint8Array>;
  /** POST, or DELETE, of something that carries its own signature. */
  post<T>(
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
    method?: 'POST' | 'DELETE',
    /** Gives it up. */
    over?: AbortSignal,
  ): Promise<{ readonly status: number; readonly value: T }>;
}

export async function openApi(session: Session, author: Author): Promise<Api> {
  const { config } = await session.workspace();
  const url = (session.globals.url ?? session.env['KEYTURN_URL'] ?? config.url ?? DEFAULT_URL).replace(/\/+$/, '');
  const read = async (path: string, wait = 0): Promise<Response> => {
    const authorization = `Keyturn ${signedRead(author, path, session.now())}`;
    return call(url, path, { headers: { authorization }, signal: AbortSignal.timeout(PATIENCE_MS + wait * 1_000) });
  };
  return {
    url,
    get: async (path, schema, wait) => bodyAs(schema, await read(path, wait), url),
    bytes: async (path) => new Uint8Array(await (await read(path)).arrayBuffer()),
    async post(path, body, schema, method = 'POST', over) {
      const init = { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      const patience = AbortSignal.timeout(PATIENCE_MS);
      const signal = over === undefined ? patience : AbortSignal.any([patience, over]);
      const response = await call(url, path, { ...init, signal });
      return { status: response.status, value: await bodyAs(schema, response, url) };
    },
  };
}

function signedRead(author: Author, path: string, now: number): string {
  const read = { v: 1, deployment: author.deployment, keyId: author.signer.key.id, method: 'GET', path, issuedAt: toInstant(now) };
  return toBase64Url(utf8(JSON.stringify(author.signer.sign('read', readSchema.parse(read)))));
}

async function call(url: string, path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    // A signed read goes to the address it was made for and to no other.
    response = await fetch(url + path, { ...init, redirect: 'error' });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CliError(
      'api_unreachable',
      `the API at ${url} does not answer (${visible(cause)})`,
      'Start it with `keyturn dev` or `keyturn api`, or name another with --url.',
    );
  }
  if (!response.ok) throw await refusalOf(response, url);
  return response;
}

/** RFC 9457, in the API's words; made inert, for they are printed. */
async function refusalOf(response: Response, url: string): Promise<CliError> {
  const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
  if (!problem.success)
    return new CliError(
      'api_answer_invalid',
      `${url} answered ${response.status} without saying why`,
      'Check --url: is that a Keyturn API?',
    );
  const { code, detail, remedy } = problem.data;
  return new CliError(code, visible(detail), visible(remedy));
}

async function bodyAs<T>(schema: z.ZodType<T>, response: Response, url: string): Promise<T> {
  const parsed = schema.safeParse(await response.json().catch(() => undefined));
  if (parsed.success) return parsed.data;
  const why = issuesOf(parsed.error).slice(0, 200);
  throw new CliError('api_answer_invalid', `${url} answered something else than expected (${why})`, 'Are API and CLI of one version?');
}
