import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Signed, Signer } from '../src/domain/dsse.js';
import { toBase64Url, utf8 } from '../src/domain/bytes.js';
import { actionSchema, messageAnswerSchema, problemSchema, type ActionResource } from '../src/domain/http.js';
import { toInstant } from '../src/domain/instant.js';
import { packageRoot } from '../src/temporal/paths.js';
import { DEPLOYMENT, type Cast, type Person } from './people.js';

/** What a reviewer's message came to: a fate, or the API's refusal. */
export interface Seen {
  readonly code: string;
  readonly status: number;
  readonly have: number | null;
  readonly need: number | null;
  readonly judged: boolean;
}

/** How the demo looks at the system: over HTTP, as a stranger would; each reviewer with an own key. */
export class Outside {
  constructor(
    readonly url: string,
    private readonly cast: Cast,
  ) {}

  /** GET as `person`, signed. */
  async get(person: Person, path: string): Promise<Response> {
    const signer = this.cast.people[person];
    const read = signer.sign('read', {
      v: 1,
      deployment: DEPLOYMENT,
      keyId: signer.key.id,
      method: 'GET',
      path,
      issuedAt: toInstant(Date.now()),
    });
    return fetch(this.url + path, { headers: { authorization: `Keyturn ${toBase64Url(utf8(JSON.stringify(read)))}` } });
  }

  async action(id: string): Promise<ActionResource> {
    const response = await this.get('cleo', `/v1/actions/${id}`);
    if (!response.ok) throw new Error(`GET ${id}: ${response.status}`);
    return actionSchema.parse(await response.json());
  }

  /** The action once it is as wanted; the last seen when the time is over. Asks less often than the API lets one person read. */
  async actionWhen(id: string, wanted: (action: ActionResource) => boolean, ms = 20_000): Promise<ActionResource> {
    const end = Date.now() + ms;
    let last: ActionResource | undefined;
    for (;;) {
      last = await this.action(id).catch(() => last);
      if (last !== undefined && wanted(last)) return last;
      if (Date.now() > end && last !== undefined) return last;
      if (Date.now() > end) throw new Error(`${id} could not be read`);
      await new Promise((done) => setTimeout(done, 120));
    }
  }

  /** A decision on what the action shows now, or on `of`, an earlier look at it. */
  async decide(
    person: Person,
    of: ActionResource,
    verdict: Readonly<Record<string, unknown>>,
    signer: Signer = this.cast.people[person],
  ): Promise<Seen> {
    return this.send(of.id, signer.sign('decision', decisionOf(person, of, verdict, signer)));
  }

  async send(id: string, signed: Signed): Promise<Seen> {
    const response = await fetch(`${this.url}/v1/actions/${id}/decisions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(signed),
    });
    const body: unknown = await response.json();
    if (!response.ok) return { code: problemSchema.parse(body).code, status: response.status, have: null, need: null, judged: true };
    const answer = messageAnswerSchema.parse(body);
    const code = answer.fate.state === 'refused' ? answer.fate.code : answer.fate.state;
    return {
      code,
      status: response.status,
      have: answer.progress?.have ?? null,
      need: answer.progress?.need ?? null,
      judged: answer.judged,
    };
  }
}

export const decisionOf = (
  person: Person,
  of: Pick<ActionResource, 'id' | 'digest' | 'revision' | 'view'>,
  verdict: Readonly<Record<string, unknown>>,
  signer: Signer,
): Record<string, unknown> => ({
  v: 1,
  deployment: DEPLOYMENT,
  actionId: of.id,
  digest: of.digest,
  revision: of.revision,
  view: of.view,
  person,
  keyId: signer.key.id,
  nonce: randomBytes(16).toString('hex'),
  issuedAt: toInstant(Date.now()),
  ...verdict,
});

const run = promisify(execFile);

/** The bank, asked itself. */
export interface BankEntry {
  readonly id: string;
  readonly cents: number;
  readonly vendor: string;
  readonly state: string;
}
export async function bankBook(url: string): Promise<BankEntry[]> {
  return (await (await fetch(`${url}/book`)).json()) as BankEntry[];
}

/** The real `temporal` command line, as anybody with access to the namespace has it. */
export async function temporalCli(binary: string, address: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(binary, [...args, '--address', address], { env: { ...process.env, TEMPORAL_ADDRESS: address } });
  return stdout;
}

/** `keyturn …` in a process of its own. */
export async function keyturn(dir: string, args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, [join(packageRoot, 'dist/src/cli/main.js'), ...args], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number>((done) => child.once('close', (status) => done(status ?? 1)));
  return { code, output: output.trim() };
}

export const readBytes = (path: string): Promise<Buffer> => readFile(path);
