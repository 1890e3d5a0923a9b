import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEPLOYMENT } from '../demo/people.js';
import { bankBook, Outside } from '../demo/outside.js';
import type { Processes } from '../demo/processes.js';
import { Keyturn } from '../src/client/index.js';
import type { Signed } from '../src/domain/dsse.js';
import { digestOfSigned } from '../src/domain/dsse.js';
import type { ActionResource } from '../src/domain/http.js';
import { toInstant } from '../src/domain/instant.js';
import { packageRoot } from '../src/temporal/paths.js';
import type { Attack, Credential, Facts, Holds, Known } from './attack.js';
import { Hands } from './hands.js';
import { decision, delegation, LATER, policyText, rosterText, signer, type Agent, type Name, type Target, type Town } from './town.js';

export const IBAN = 'DE89370400440532013000';
const WAIT_MS = 20_000;

/** One running product, and everybody's honest life in it. */
export class Stage {
  private readonly outside: Outside;
  private readonly hands: Hands;
  private old: Promise<ReadonlyMap<string, Known>> | undefined;
  private freezing: Promise<string> | undefined;
  constructor(
    readonly dir: string,
    readonly url: string,
    readonly processes: Processes,
    readonly town: Town,
    readonly cliBinary: string,
    /** The build whose parts run: this one, or a patched copy. */
    readonly root: string = packageRoot,
  ) {
    const { ana, ben, cleo, dana, eva } = town.people;
    const people = { ana: signer(ana), ben: signer(ben), cleo: signer(cleo), dana: signer(dana), eva: signer(eva) };
    this.outside = new Outside(url, { people, agentKey: town.agents['ap-agent'] });
    this.hands = new Hands({ keys: [], temporal: processes.temporalAddress, api: url });
  }

  agent(name: Agent): Keyturn {
    return new Keyturn({ url: this.url, deployment: DEPLOYMENT, agent: name, key: this.town.agents[name] });
  }
  vote(person: Name, target: Target, verdict: Readonly<Record<string, unknown>> = {}): Signed {
    return decision(signer(this.town.people[person]), person, target, verdict);
  }
  /** A true delegation. */
  handOver(from: Name, to: Name): Signed {
    return delegation(signer(this.town.people[from]), from, to);
  }
  /** A decision sent as its author does. Throws unless it is taken. */
  decide(person: Name, target: Target, verdict: Readonly<Record<string, unknown>>): Promise<void> {
    return this.send(target.id, this.vote(person, target, verdict));
  }
  async send(id: string, signed: Signed): Promise<void> {
    const { status, code } = await this.outside.send(id, signed);
    if (status !== 200 && status !== 202) throw new Error(`an honest decision was refused: ${code}`);
  }
  /** Asks the agent. Returns the question's digest. */
  async ask(person: Name, target: Target, question: string): Promise<string> {
    const signed = this.vote(person, target, { verdict: 'ask', question });
    await this.send(target.id, signed);
    return digestOfSigned(signed);
  }
  /** Once it is at this revision. */
  async at(id: string, revision: number): Promise<Target> {
    const action = await this.outside.actionWhen(id, (each) => each.revision === revision && each.digest !== null, WAIT_MS);
    if (action.revision !== revision || action.digest === null) throw new Error(`${id} did not come to revision ${revision}`);
    return target(action);
  }
  /** Until it has ended; a product without its guards may not get there. */
  async ended(id: string): Promise<void> {
    await this.outside.actionWhen(id, (each) => each.outcome.final, 4_000);
  }
  /** Nothing of this agent starts any more. Returns the freeze's digest. */
  freeze(agent: Agent): Promise<string> {
    this.freezing ??= (async () => {
      const said = { v: 1, deployment: DEPLOYMENT, nonce: randomBytes(16).toString('hex'), issuedAt: toInstant(Date.now()) };
      const signed = signer(this.town.people.eva).sign('freeze', { ...said, by: 'eva', scope: { agent }, reason: 'odd invoices' });
      const response = await fetch(`${this.url}/v1/freezes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(signed),
      });
      if (response.status !== 200) throw new Error(`the freeze was refused: ${await response.text()}`);
      return digestOfSigned(signed);
    })();
    return this.freezing;
  }
  /** Puts a "no" on the ledger's record and tells nobody else. */
  async lodge(id: string, signed: Signed): Promise<void> {
    const said = await this.hands.order('lodge', { actionId: id, have: 0, signed });
    if (said !== 'stands') throw new Error(`the rejection was not taken: ${said}`);
  }

  /** Actions held and agreed to before policy version 2, which is in force when this returns. */
  async underOldPolicy(vendor: string): Promise<Known> {
    this.old ??= (async () => {
      const known = new Map<string, Known>();
      for (const each of Object.values(LATER)) known.set(each, await heldWithVotes(this, each));
      await this.newPolicy();
      // The executor has seen the new version once it has sealed by it.
      await held(this, 'the new policy is seen');
      return known;
    })();
    return (await this.old).get(vendor) ?? {};
  }
  newPolicy(): Promise<void> {
    return writeFile(join(this.dir, 'policy.yaml'), policyText(2));
  }
  newRoster(): Promise<void> {
    return writeFile(join(this.dir, 'roster.yaml'), rosterText(this.town, 2));
  }

  /** `keyturn …` of the build that runs, in cleo's folder. */
  async keyturn(args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
    return run(join(this.root, 'dist/src/cli/main.js'), args, this.dir, {});
  }
  /** What the build that runs tells an agent which knows the executors' keys, or believes the API. */
  async agentSees(id: string, url: string, { knowsKeys = true } = {}): Promise<string> {
    const env = {
      KEYTURN_URL: url,
      KEYTURN_DEPLOYMENT: DEPLOYMENT,
      KEYTURN_AGENT: 'ap-agent',
      KEYTURN_AGENT_KEY: this.town.agents['ap-agent'],
      ...(knowsKeys ? { KEYTURN_EXECUTOR_KEYS: signer(this.town.executor).key.text } : {}),
    };
    return (await run(join(this.root, 'dist/redteam/waiting-agent.js'), [id], this.dir, env)).output;
  }

  /** What the target itself has of this attack. */
  async effects(vendor: string): Promise<number> {
    return (await bankBook(this.processes.bankUrl)).filter((entry) => entry.vendor === vendor).length;
  }

  facts(vendor: string, known: Known): Facts {
    const { people, agents } = this.town;
    const keyIds = Object.fromEntries(Object.entries({ ...people, ...agents }).map(([name, key]) => [name, signer(key).key.id]));
    return {
      id: '',
      digest: null,
      revision: 0,
      view: null,
      votes: [],
      question: '',
      freeze: '',
      ...known,
      vendor,
      cli: this.cliBinary,
      keyIds,
    };
  }
  /** The credentials an attack names, and nothing beside them. */
  holds({ holds, id }: Attack): Holds {
    return holds.map((each) => this.grant(each, id)).reduce((all, more) => ({ ...all, ...more, keys: [...all.keys, ...more.keys] }));
  }
  private grant(credential: Credential, attack: string): Holds {
    const { people, agents, phone, ended, bearer, api: apiKey } = this.town;
    const { temporalAddress: temporal } = this.processes;
    const api = this.url;
    switch (credential) {
      case 'agent key':
        return { keys: [attack === 'split-in-nine' ? agents.splitter : agents['ap-agent']], api };
      case "another agent's key":
        return { keys: [agents['cold-agent']], api };
      case "an owner's two agent keys":
        return { keys: [agents['twin-one'], agents['twin-two']], api };
      case 'bearer key':
        return { keys: [], bearer, api };
      case 'namespace write':
        return { keys: [], temporal };
      case 'API host':
        return { keys: [apiKey], temporal, api };
      case 'worker host':
        // The worker has no key of anybody: a stranger's, to forge with.
        return { keys: [strangersKey()], temporal };
      case "ana's key":
        return { keys: [people.ana] };
      case "ana's two keys":
        return { keys: [people.ana, phone] };
      case "ben's key":
        return { keys: [people.ben] };
      case "cleo's key":
        return { keys: [people.cleo] };
      case "eva's key":
        return { keys: [people.eva] };
      case "gus's key":
        return { keys: [people.gus] };
      case "the owner's key":
        return { keys: [people.dana] };
      case "fay's ended key":
        return { keys: [ended] };
      case 'policy.yaml':
        return { keys: [], policyFile: join(this.dir, 'policy.yaml') };
    }
  }
  close(): Promise<void> {
    return this.hands.close();
  }
}

const strangersKey = (): string => `keyturn-ed25519-private:${randomBytes(32).toString('base64url')}`;

const target = ({ id, digest, revision, view }: ActionResource): Target => ({ id, digest, revision, view });

interface HeldOptions {
  readonly agent?: Agent;
  readonly key?: string;
  readonly onBehalfOf?: Name;
  readonly voters?: readonly Name[];
}

/** A payment of EUR 82,000 that waits for two of finance. */
export async function held(
  stage: Stage,
  vendor: string,
  { agent = 'ap-agent', key = vendor, onBehalfOf }: HeldOptions = {},
): Promise<Target> {
  const { id } = await stage
    .agent(agent)
    .propose(
      'payments.transfer',
      { vendor, iban: IBAN, cents: 8_200_000 },
      { reason: 'Invoice 77', idempotencyKey: key, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) },
    );
  return stage.at(id, 1);
}

/** The same, and true approvals of it that nobody has sent. */
export async function heldWithVotes(stage: Stage, vendor: string, options: HeldOptions = {}): Promise<Target & { votes: Signed[] }> {
  const action = await held(stage, vendor, options);
  return { ...action, votes: (options.voters ?? ['ana', 'ben']).map((person) => stage.vote(person, action)) };
}

/** A small payment that ran without people. */
export async function ranAlready(stage: Stage, vendor: string): Promise<Known> {
  const agent = stage.agent('ap-agent');
  const { id } = await agent.propose('payments.urgent', { vendor, iban: IBAN, cents: 100 }, { reason: 'a fee', idempotencyKey: vendor });
  const { status } = await agent.wait(id, { timeoutMs: WAIT_MS });
  if ((await stage.effects(vendor)) !== 1) throw new Error(`the honest payment did not run: ${status}`);
  return { id };
}

async function run(
  script: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, [script, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1', ...env },
    timeout: 30_000,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number>((done) => child.once('close', (status) => done(status ?? 1)));
  return { code, output: output.trim() };
}
