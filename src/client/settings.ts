import { readFileSync } from 'node:fs';
import { executorKeysOf, type ExecutorKeys } from './receipt.js';
import { agentKeyOf, type AgentKey } from './sign.js';

const DEFAULT_URL = 'http://127.0.0.1:7878';

/** Where the API is and who asks. What is left out comes from the environment, then from `.env` in the working folder. */
export interface KeyturnOptions {
  /** `KEYTURN_URL`; left out: http://127.0.0.1:7878 */
  readonly url?: string;
  /** `KEYTURN_DEPLOYMENT`, as roster.yaml names it. */
  readonly deployment?: string;
  /** `KEYTURN_AGENT`, as roster.yaml names it. */
  readonly agent?: string;
  /** `KEYTURN_AGENT_KEY`: the private key as text. An agent has this or a bearer key. */
  readonly key?: string;
  /** `KEYTURN_AGENT_BEARER` */
  readonly bearer?: string;
  /**
   * `KEYTURN_EXECUTOR_KEYS`, parted by commas: the public keys of the executors, as roster.yaml has them. With them an end is believed only if the
   * executor's own entries prove it; without them the API is.
   */
  readonly executorKeys?: readonly string[];
  readonly fetch?: typeof fetch;
}

export interface Settings {
  readonly url: string;
  readonly deployment: string;
  readonly agent: string;
  readonly credential: { readonly kind: 'key'; readonly key: AgentKey } | { readonly kind: 'bearer'; readonly bearer: string };
  readonly executorKeys: ExecutorKeys | undefined;
  readonly fetch: typeof fetch;
}

/** Throws `TypeError` that names what is missing; the key's text is never part of a message. */
export function settingsFrom(options: KeyturnOptions, env: Readonly<Record<string, string | undefined>> = environment()): Settings {
  const named = (given: string | undefined, name: string): string | undefined => {
    const value = given ?? env[name];
    return value === undefined || value === '' ? undefined : value;
  };
  const required = (given: string | undefined, name: string, what: string): string => {
    const value = named(given, name);
    if (value === undefined) throw new TypeError(`Keyturn: set ${name} (in the environment or in .env) to ${what}.`);
    return value;
  };
  const url = new URL(named(options.url, 'KEYTURN_URL') ?? DEFAULT_URL);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError('Keyturn: KEYTURN_URL must begin with http:// or https://');
  const executorKeys = options.executorKeys ?? named(undefined, 'KEYTURN_EXECUTOR_KEYS')?.split(',');
  return {
    url: url.href.replace(/\/+$/, ''),
    deployment: required(options.deployment, 'KEYTURN_DEPLOYMENT', 'the deployment roster.yaml names'),
    agent: required(options.agent, 'KEYTURN_AGENT', "the agent's id in roster.yaml"),
    credential: credentialOf(options, named),
    executorKeys: executorKeys === undefined ? undefined : executorKeysOf(executorKeys),
    fetch: options.fetch ?? globalThis.fetch,
  };
}

function credentialOf(
  options: KeyturnOptions,
  named: (given: string | undefined, name: string) => string | undefined,
): Settings['credential'] {
  // What the program itself gives wins over the environment, of whichever kind it is.
  const explicit = options.key !== undefined || options.bearer !== undefined;
  const key = explicit ? options.key : named(undefined, 'KEYTURN_AGENT_KEY');
  const bearer = explicit ? options.bearer : named(undefined, 'KEYTURN_AGENT_BEARER');
  if (key !== undefined && bearer !== undefined) throw new TypeError('Keyturn: an agent has a private key or a bearer key, not both.');
  if (key !== undefined) return { kind: 'key', key: agentKeyOf(key) };
  if (bearer !== undefined) return { kind: 'bearer', bearer };
  throw new TypeError("Keyturn: set KEYTURN_AGENT_KEY (in the environment or in .env) to the agent's private key.");
}

/** The process's environment over `.env`; neither is changed. */
function environment(): Readonly<Record<string, string | undefined>> {
  return { ...readDotEnv('.env'), ...process.env };
}

const LINE = /^\s*(?:export\s+)?(KEYTURN_[A-Z_]+)\s*=\s*(?:"([^"\\$`]*)"|'([^']*)'|([^\s"'#$`\\]*))\s*(?:#.*)?$/;

/** Only names that begin with KEYTURN_, each strictly `NAME=value`: no expansion, no escapes. Other programs' lines are passed over. */
export function readDotEnv(path: string): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return {};
  }
  const found: Record<string, string> = {};
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (!/^\s*(?:export\s+)?KEYTURN_/.test(line)) continue;
    const match = LINE.exec(line);
    const name = match?.[1];
    if (match === null || name === undefined) throw new TypeError(`Keyturn: ${path}:${i + 1} is not NAME=value.`);
    found[name] = match[2] ?? match[3] ?? match[4] ?? '';
  }
  return found;
}
