import { admit, CLOCK_SKEW_MS, isIndependent, readDecision, voteOf, type KeyRing } from '../admit.js';
import { floorOf } from '../floor.js';
import type { Digest, PersonId } from '../ids.js';
import { personIdSchema } from '../ids.js';
import { readDelegation, seatPersonOf } from '../delegation.js';
import { toMs } from '../instant.js';
import { sameJson } from '../receipt.js';
import type { Json } from '../json.js';
import type { Decision } from '../objects/decision.js';
import type { Entry } from '../objects/entry.js';
import { replaceAt } from '../pointer.js';
import type { Roster } from '../roster.js';
import { ladderOf, tally, type Tally, type Vote } from '../tally.js';
import { Broken, demand } from './broken.js';
import type { Link } from './chain.js';
import type { Filed } from './filed.js';
import { demandEnrolled, rosterRing, sealedRing } from './people.js';
import type { Seal } from './seals.js';

type Of<K extends Entry['kind']> = Extract<Entry, { kind: K }>;
export interface Counted {
  /** On whose seat, and who signed for that person, where it was somebody else. */
  readonly person: PersonId;
  readonly by?: PersonId;
  readonly digest: Digest;
}

/**
 * Who agreed: every decision of the file judged again at the time its entry was written, by the functions the executor used, with the keys it
 * sealed and the reader's own roster. At the execution the counted ones must meet the sealed rule, in time, with no rejection standing (§6).
 */
export class Agreement {
  counted: Counted[] = [];
  private readonly revisions: Seal[] = [];
  private readonly lodged: { readonly entry: Of<'lodged'>; readonly digest: Digest }[] = [];
  private ring: KeyRing = new Map();
  private newest: Digest | undefined;

  constructor(
    private readonly seals: ReadonlyMap<Digest, Seal>,
    private readonly decisions: Filed,
    private readonly roster: Roster,
    private readonly warn: (text: string) => void,
  ) {}

  /** The newest envelope and the keys sealed with it. */
  get sealed(): { readonly seal: Seal | undefined; readonly ring: KeyRing } {
    return { seal: this.newest === undefined ? undefined : this.seals.get(this.newest), ring: this.ring };
  }

  /** Throws `Broken`. */
  tell({ entry, step }: Link): void {
    switch (entry.kind) {
      case 'sealed':
        return this.open(entry, step);
      case 'lodged':
        if (entry.object === 'reject' || entry.object === 'withdraw') this.lodge(entry, step);
        return;
      case 'executing':
        return this.execute(entry, step);
      case 'closed':
        if (entry.status === 'rejected' && this.tally([])?.rejected !== true)
          this.warn(`${step}: closed as rejected, but the file holds fewer standing rejections than the sealed rule asks`);
        return;
      default:
        return;
    }
  }

  private open(entry: Of<'sealed'>, step: string): void {
    const seal = this.seals.get(entry.digest);
    if (entry.cause === 'modify' && seal !== undefined) this.modified(entry, seal, step);
    if (seal !== undefined) this.revisions.push(seal);
    this.newest = entry.digest;
    this.ring = sealedRing(entry.people, step);
  }

  /** §6.6: who modified never counts on what came of it. */
  private modified(entry: Of<'sealed'>, seal: Seal, step: string): void {
    const { envelope } = seal;
    const parent = this.sealed.seal;
    const made = [...this.decisions].flatMap(([digest, { signed, step: at }]) => {
      const decision = this.decision(digest);
      return decision?.verdict === 'modify' && decision.digest === envelope.parent ? [{ digest, signed, at, decision }] : [];
    });
    const [first, second] = made;
    if (first === undefined || parent === undefined)
      return this.warn(`${step}: the modify that made revision ${envelope.revision} is not in the file`);
    demand(second === undefined, second?.at ?? step, 'a revision comes from one modify');
    const { digest, signed, at, decision } = first;
    demand(toMs(decision.issuedAt) <= toMs(entry.at) + CLOCK_SKEW_MS, at, 'dated after the revision it made');
    this.admitted(digest, toMs(decision.issuedAt));
    demandEnrolled(signed, decision.person, [toMs(decision.issuedAt)], this.roster, at);
    this.demandMandate(decision, [], at);
    for (const editor of [decision.person, seatPersonOf(decision)]) {
      demand(envelope.contributors.includes(editor), at, 'the revision does not name who modified it');
      demand(
        envelope.exclusions.some(({ person }) => person === editor),
        at,
        `${editor} modified the action and could still count on it`,
      );
    }
    if (!sameJson(patched(parent.envelope.params, decision.patch), envelope.params))
      this.warn(`${at}: the parameters of revision ${envelope.revision} are not literally the patched ones`);
  }

  private lodge(entry: Of<'lodged'>, step: string): void {
    const { digest, object, by } = entry;
    if (digest === null) throw new Broken(step, `a ${object} without a digest`);
    if (this.decisions.has(digest)) {
      // A withdrawal, which can make an action run, is taken by the roster's keys, also from people asked no more (§6.11).
      const decision = this.admitted(digest, toMs(entry.at), object === 'withdraw' ? rosterRing(this.roster) : this.ring);
      demand(decision.verdict === object && by === `person:${decision.person}`, step, 'names another kind of decision, or another author');
      const { signed, step: where } = this.filed(digest);
      // A rejection is taken by the sealed keys, whatever became of them since.
      if (object === 'reject') this.demandMandate(decision, [], where);
      demandEnrolled(signed, decision.person, object === 'withdraw' ? [toMs(decision.issuedAt), toMs(entry.at)] : [], this.roster, where);
    } else this.warn(`${step}: the ${object} by ${by} is not in the file: the executor's word alone`);
    this.lodged.push({ entry, digest });
  }

  private execute(entry: Of<'executing'>, step: string): void {
    const at = toMs(entry.at);
    const votes = entry.decisions.map((digest): Vote => {
      demand(this.decisions.has(digest), step, `the counted decision ${digest} is not in the file`);
      const decision = this.admitted(digest, at);
      const { signed, step: where } = this.filed(digest);
      demand(decision.verdict === 'approve', where, `counted, but it says ${decision.verdict}`);
      demandEnrolled(signed, decision.person, [toMs(decision.issuedAt), at], this.roster, where);
      this.demandMandate(decision, [at], where);
      const vote = voteOf(digest, decision, isIndependent(signed, this.ring));
      demand(vote !== undefined, where, 'no vote');
      return vote;
    });
    const result = this.tally(votes);
    demand(result?.rejected === false, step, 'executed while a rejection stood');
    const { quorum } = result;
    demand(quorum !== undefined, step, 'the counted decisions do not meet the sealed rule');
    demand(sameJson([...quorum.counted].sort(), [...entry.decisions].sort()), step, 'names decisions that do not count');
    demand(at < quorum.executeBy, step, 'executed after the time to start was over');
    const { seal } = this.sealed;
    demand(seal !== undefined && at >= floorOf(seal.envelope), step, 'executed before the minimum time since the seal was over');
    this.counted = votes.map(({ person, by, digest }) => ({ person, ...(by === undefined ? {} : { by }), digest }));
  }

  /** What the lodged decisions and these votes amount to; undefined where the newest envelope is not in the file. */
  private tally(votes: readonly Vote[]): Tally | undefined {
    const { seal } = this.sealed;
    return seal === undefined ? undefined : tally(ladderOf(seal.envelope), seal.digest, [...votes, ...this.noes()]);
  }

  /** Lodged rejections and withdrawals as votes: once on record they stand, until withdrawn. One whose bytes are missing: at the executor's word. */
  private noes(): Vote[] {
    return this.lodged.flatMap((each, i): Vote[] => {
      const { entry, digest } = each;
      if (this.isTakenBack(each, i)) return [];
      const decision = this.decision(digest);
      const vote = decision === undefined ? undefined : voteOf(digest, decision, false);
      if (vote !== undefined) return [vote];
      const person = personIdSchema.safeParse(entry.by.replace(/^person:/, ''));
      if (entry.object !== 'reject' || !person.success) return [];
      return [
        {
          digest,
          person: person.data,
          issuedAt: toMs(entry.at),
          independent: false,
          envelope: digest,
          act: { verdict: 'reject', reason: '' },
        },
      ];
    });
  }

  /** By a later withdrawal of the same person whose bytes are missing, so that nobody can tell what it took back. */
  private isTakenBack({ entry, digest }: (typeof this.lodged)[number], i: number): boolean {
    const seat = this.decision(digest)?.delegation?.from;
    const may = [entry.by, ...(seat === undefined ? [] : [`person:${seat}`])];
    const later = this.lodged.slice(i + 1).filter((each) => each.entry.object === 'withdraw' && may.includes(each.entry.by));
    return entry.object === 'reject' && later.some((each) => !this.decisions.has(each.digest));
  }

  /** By the reader's own roster too, the person decided for signed the delegation, by a key valid then and at these times (ms). */
  private demandMandate({ delegation }: Decision, at: readonly number[], step: string): void {
    if (delegation === undefined) return;
    const issuedAt = readDelegation(delegation.signed)?.issuedAt;
    demand(issuedAt !== undefined, step, 'its delegation is none');
    demandEnrolled(delegation.signed, delegation.from, [toMs(issuedAt), ...at], this.roster, `${step}, its delegation`);
  }

  private decision(digest: Digest): Decision | undefined {
    const found = this.decisions.get(digest);
    return found === undefined ? undefined : readDecision(found.signed)?.decision;
  }

  private filed(digest: Digest): { readonly signed: Parameters<typeof admit>[0]; readonly step: string } {
    const found = this.decisions.get(digest);
    if (found === undefined) throw new Broken('file', `decision ${digest} is missing`);
    return found;
  }

  private admitted(digest: Digest, now: number, ring = this.ring): Decision {
    const { signed, step } = this.filed(digest);
    demand(
      this.newest !== undefined && this.seals.has(this.newest),
      step,
      'the envelope under review when it was taken is not in the file',
    );
    const admission = admit(signed, this.revisions, ring, now);
    if (!admission.ok) throw new Broken(step, `${admission.refusal.code}: ${admission.refusal.text}`);
    return admission.decision;
  }
}

/** The parameters with a patch applied; undefined where it leads nowhere. */
const patched = (params: Json, patch: Readonly<Record<string, Json>>): Json | null =>
  Object.entries(patch).reduce<Json | null>(
    (value, [pointer, to]) => (value === null ? null : (replaceAt(value, pointer, to) ?? null)),
    params,
  );
