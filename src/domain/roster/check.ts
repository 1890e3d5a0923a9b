import type { Findings, Path } from '../problem.js';
import { didYouMean } from '../policy/near.js';
import type { FileKey, RosterFile } from './schema.js';

/** What in roster.yaml needs more than one field to judge (§9). Each finding makes the file invalid as a whole. */
export function checkRoster(file: RosterFile, findings: Findings): void {
  checkSwitches(file, findings);
  checkWebauthn(file, findings);
  checkGroups(file, findings);
  checkAgents(file, findings);
  checkExecutors(file, findings);
  checkKeys(file, findings);
}

function checkSwitches(file: RosterFile, findings: Findings): void {
  if (file.selfApproval === true && file.development !== true) {
    findings.add(['selfApproval'], 'selfApproval needs a development roster', 'development: true beside it, or selfApproval: false');
  }
}

/** Browsers sign only for origins at or below the rpId, over https unless on this machine. */
function checkWebauthn({ webauthn }: RosterFile, findings: Findings): void {
  if (webauthn === undefined) return;
  const { rpId, origins } = webauthn;
  for (const [i, origin] of origins.entries()) {
    const host = origin.slice(origin.indexOf('//') + 2).replace(/:\d+/, '');
    const path = ['webauthn', 'origins', i];
    if (host !== rpId && !host.endsWith(`.${rpId}`))
      findings.add(path, `"${origin}" is neither at nor below the rpId ${rpId}`, `https://${rpId}`);
    else if (!origin.startsWith('https') && host !== 'localhost' && !host.endsWith('.localhost'))
      findings.add(path, `"${origin}" is not https`, `https://${host}`);
  }
}

function checkGroups({ people, groups = {} }: RosterFile, findings: Findings): void {
  for (const [name, members] of Object.entries(groups)) {
    const seen = new Set<string>();
    for (const [i, member] of members.entries()) {
      const path = ['groups', name, i];
      const inner = groupOf(member);
      if (seen.has(member)) findings.add(path, `${member} stands twice in group ${name}`, 'it once');
      else if (inner === undefined) mustExist(member, people, 'person', path, findings);
      else mustExist(inner, groups, 'group', path, findings);
      seen.add(member);
    }
    const loop = loopFrom(name, groups);
    if (loop !== undefined)
      findings.add(['groups', name], `group ${name} contains itself: ${loop.join(' → ')}`, `group ${name} without that way back`);
  }
}

const groupOf = (member: string): string | undefined => (member.startsWith('group:') ? member.slice('group:'.length) : undefined);

/** The way from a group back to itself, or undefined. */
function loopFrom(start: string, groups: Readonly<Record<string, readonly string[]>>): string[] | undefined {
  const seen = new Set<string>();
  const walk = (name: string, way: string[]): string[] | undefined => {
    for (const member of (Object.hasOwn(groups, name) ? groups[name] : undefined) ?? []) {
      const inner = groupOf(member);
      if (inner === start) return [...way, start];
      if (inner === undefined || seen.has(inner)) continue;
      seen.add(inner);
      const loop = walk(inner, [...way, inner]);
      if (loop !== undefined) return loop;
    }
    return undefined;
  };
  return walk(start, [start]);
}

function checkAgents({ people, agents = {} }: RosterFile, findings: Findings): void {
  const bearers = new Map<string, string>();
  for (const [name, agent] of Object.entries(agents)) {
    const path = ['agents', name];
    mustExist(agent.owner, people, 'person', [...path, 'owner'], findings);
    const given = (['key', 'keys', 'bearer'] as const).filter((field) => agent[field] !== undefined);
    const [one, other] = given;
    if (one === undefined) findings.add(path, `agent ${name} has no key`, 'key: ed25519:…, or bearer: sha256:…');
    if (other !== undefined) findings.add([...path, other], `agent ${name} has ${given.join(' and ')}`, 'one of key, keys and bearer');
    const digest = agent.key !== undefined && 'bearer' in agent.key ? agent.key.bearer : agent.bearer;
    if (digest === undefined) continue;
    const before = bearers.get(digest);
    if (before !== undefined) findings.add(path, `agents ${before} and ${name} share a bearer key`, 'a bearer key of its own for each');
    bearers.set(digest, name);
  }
}

function checkExecutors({ executors = {} }: RosterFile, findings: Findings): void {
  const runners = new Map<string, string>();
  for (const [name, executor] of Object.entries(executors)) {
    for (const [i, type] of executor.runs.entries()) {
      const other = runners.get(type);
      const text = other === name ? `${type} stands twice` : `${type} is run by ${other} already`;
      if (other !== undefined) findings.add(['executors', name, 'runs', i], text, 'each type once, at one executor');
      runners.set(type, name);
    }
  }
}

/** One key, one holder, in the whole file: else one signer would count as two people (attack case 6), or a service as a person. */
function checkKeys(file: RosterFile, findings: Findings): void {
  const holders = new Map<string, string>();
  for (const { who, path, key } of keysOf(file)) {
    const other = holders.get(key.key.id);
    if (other !== undefined)
      findings.add(path, `this key of ${who} is enrolled for ${other} already`, 'a key of its own for each; one key stands once');
    else holders.set(key.key.id, who);
    if ((key.from ?? -Infinity) >= (key.until ?? Infinity)) {
      findings.add([...path, 'until'], 'until is not after from', 'a later until, or an earlier from');
    }
  }
}

function* keysOf(file: RosterFile): Generator<{ who: string; path: Path; key: FileKey }> {
  for (const [name, { keys }] of Object.entries(file.people)) yield* numbered(keys, `person ${name}`, ['people', name, 'keys']);
  for (const [name, { key, keys }] of Object.entries(file.agents ?? {})) {
    if (key !== undefined && !('bearer' in key)) yield { who: `agent ${name}`, path: ['agents', name, 'key'], key };
    yield* numbered(keys, `agent ${name}`, ['agents', name, 'keys']);
  }
  if (file.api?.key !== undefined) yield { who: 'the API', path: ['api', 'key'], key: file.api.key };
  yield* numbered(file.api?.keys, 'the API', ['api', 'keys']);
  for (const [name, { keys }] of Object.entries(file.executors ?? {}))
    yield* numbered(keys, `executor ${name}`, ['executors', name, 'keys']);
}

function* numbered(keys: readonly FileKey[] | undefined, who: string, path: Path): Generator<{ who: string; path: Path; key: FileKey }> {
  for (const [i, key] of (keys ?? []).entries()) yield { who, path: [...path, i], key };
}

function mustExist(name: string, known: object, what: 'person' | 'group', path: Path, findings: Findings): void {
  if (Object.hasOwn(known, name)) return;
  const names = Object.keys(known);
  findings.add(
    path,
    `no ${what} is called "${name}"${didYouMean(name, names)}`,
    names.length === 0 ? `a ${what} of this name first` : `one of ${names.slice(0, 20).join(', ')}`,
  );
}
