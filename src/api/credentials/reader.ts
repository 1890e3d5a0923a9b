import { fromBase64Url, fromUtf8, utf8 } from '../../domain/bytes.js';
import { keyIdOfSigned, readPayload, signedSchema, verifySigned, type Signed } from '../../domain/dsse.js';
import { sha256 } from '../../domain/hash.js';
import { READ_GOOD_FOR_MS, readSchema } from '../../domain/http.js';
import type { AgentId, PersonId } from '../../domain/ids.js';
import { toMs } from '../../domain/instant.js';
import { parseStrict } from '../../domain/json.js';
import { holderOf, keyValidAt, type Agent, type Roster } from '../../domain/roster.js';
import { pathOf, type Call } from '../api.js';
import { notFound, refused } from '../problem.js';

/** Who reads: a person sees every action, an agent its own. */
export type Reader = { readonly kind: 'person'; readonly id: PersonId } | { readonly kind: 'agent'; readonly id: AgentId };

const MAX_HEADER = 12_000;

/** Throws `credential_invalid` unless a key of the roster stands behind this very request, or a bearer key of an agent; `rate_limited` if it reads too often. `now` in ms. */
export function readerOf(c: Call, roster: Roster, now: number): Reader {
  const reader = whoReads(c, roster, now);
  c.get('limits').read(nameOf(reader));
  return reader;
}

export const nameOf = ({ kind, id }: Reader): string => `${kind}:${id}`;

function whoReads(c: Call, roster: Roster, now: number): Reader {
  const header = c.req.header('authorization') ?? '';
  if (header === '')
    throw refused('credential_invalid', 'reads are signed: Authorization: Keyturn, or Bearer for an agent with a bearer key');
  const bearer = bearerAgent(header, roster, now);
  if (bearer !== undefined) return { kind: 'agent', id: bearer.id };
  const reader = signedReader(header, { method: c.req.method === 'HEAD' ? 'GET' : c.req.method, path: pathOf(c) }, roster, now);
  if (reader === undefined)
    throw refused('credential_invalid', 'no key of this roster, valid now, signed this read of this path within the last minute');
  return reader;
}

/** The agent a bearer key belongs to: the roster holds only its SHA-256. */
export function bearerAgent(header: string, roster: Roster, now: number): Agent | undefined {
  const token = /^Bearer ([\x21-\x7e]{1,500})$/.exec(header)?.[1];
  if (token === undefined) return undefined;
  const digest = sha256(utf8(token));
  const agent = [...roster.agents.values()].find(({ bearer }) => bearer === digest);
  return agent !== undefined && (agent.until === undefined || now < agent.until) ? agent : undefined;
}

function signedReader(
  header: string,
  sent: { readonly method: string; readonly path: string },
  roster: Roster,
  now: number,
): Reader | undefined {
  const signed = signedHeader(header);
  const keyId = signed === undefined ? undefined : keyIdOfSigned(signed);
  if (signed === undefined || keyId === undefined) return undefined;
  const holder = holderOf(roster, keyId);
  const read = readSchema.safeParse(readPayload('read', signed));
  if (!read.success || read.data.keyId !== keyId || read.data.deployment !== roster.deployment) return undefined;
  if (read.data.method !== sent.method || read.data.path !== sent.path) return undefined;
  if (Math.abs(now - toMs(read.data.issuedAt)) > READ_GOOD_FOR_MS) return undefined;
  if (holder === undefined || !keyValidAt(holder.key, now) || !verifySigned('read', signed, holder.key.key, roster.webauthn))
    return undefined;
  return holder.kind === 'person' || holder.kind === 'agent' ? ({ kind: holder.kind, id: holder.id } as Reader) : undefined;
}

function signedHeader(header: string): Signed | undefined {
  const text = /^Keyturn ([A-Za-z0-9_-]+)$/.exec(header.slice(0, MAX_HEADER))?.[1];
  if (text === undefined) return undefined;
  try {
    return signedSchema.parse(parseStrict(fromUtf8(fromBase64Url(text))));
  } catch {
    return undefined;
  }
}

/** Throws 404, as for an action that is none, unless the reader may see actions of this agent. */
export function mustSee(reader: Reader, agent: string): void {
  if (reader.kind === 'agent' && reader.id !== agent) throw notFound();
}
