import { admit, CLOCK_SKEW_MS, isIndependent, voteOf, type KeyRing } from '../admit.js';
import { floorOf } from '../floor.js';
import type { Digest, PersonId } from '../ids.js';
import { personIdSchema } from '../ids.js';
import { seatPersonOf } from '../delegation.js';
import { toMs } from '../instant.js';
import { sameJson } from '../receipt.js';
import type { Json } from '../json.js';
import type { Entry } from '../objects/entry.js';
import { replaceAt } from '../pointer.js';
import type { Roster } from '../roster.js';
import { ladderOf, tally, type Tally, type Vote } from '../tally.js';
import { Broken, demand } from './broken.js';
import type { Link } from './chain.js';
import type { Filed, FiledDecision } from './filed.js';
import { demandEnrolled, rosterRing, sealedRing } from './people.js';
import type { Seal } from './seals.js';

type Of<K extends Entry['kind']> = Extract<Entry, { kind: K }>;
export interface Counted {
  /** On whose seat, and who signed for that person, where it was somebody else. */
  readonly person: PersonId;
  readonly by?: PersonId;
  readonly digest: Digest;
}

/** On record; no vote: its bytes are not in the file. */
interface Lodged {
  readonly entry: Of<'lodged'>;
  readonly digest: Digest;
  readonly vote: Vote | undefined;
}

/**
 * Who agreed: every decision of the file judged again at the time its entry was written, by the functions the executor used, with the keys it
 * sealed and the reader's own roster. At the execution the counted ones must meet the sealed rule, in time, with no rejection standing (§6).
 */
export class Agreement {
  counted: Counted[] = [];
  private readonly revisions: Seal[] = [];
  private readonly lodged: Lodged[] = [];
  private ring: KeyRing = new Map();
  private newest: Seal | undefined;

  constructor(
    private readonly seals: ReadonlyMap<Digest, Seal>,
    private readonly decisions: Filed<FiledDecision>,
    private readonly roster: Roster,
    private readonly warn: (text: string) => void,
  ) {}

  /** The newest envelope, if it is in the file, and the keys sealed with it. */
  get sealed(): { readonly seal: Seal | undefined; readonly ring: KeyRing } {
    return { seal: this.newest, ring: this.ring };
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
        if (entry.status === 'rejected' && (this.newest === undefined || !this.tally(this.newest, []).rejected))
          this.warn(`${step}: closed as rejected, but the file holds fewer standing rejections than the sealed rule asks`);
        return;
      default:
      // Nothing else says who agreed.
    }
  }

  private open(entry: Of<'sealed'>, step: string): void {
    const seal = this.seals.get(entry.digest);
    if (seal !== undefined) {
      if (entry.cause === 'modify') this.modified(entry, seal, step);
      this.revisions.push(seal);
    }
    this.newest = seal;
    this.ring = sealedRing(entry.people, step);
  }

  /** §6.6: who modified never counts on what came of it. */
  private modified(entry: Of<'sealed'>, seal: Seal, step: string): void {
    const { envelope } = seal;
    const parent = this.newest;
    const [made, second] = [...this.decisions.values()].flatMap((filed) => {
      const { decision } = filed;
      return decision.verdict === 'modify' && decision.digest === envelope.parent ? [{ filed, decision }] : [];
    });
    if (made === undefined || parent === undefined)
      return this.warn(`${step}: the modify that made revision ${envelope.revision} is not in the file`);
    if (second !== undefined) throw new Broken(second.filed.step, 'a revision comes from one modify');
    const { filed, decision } = made;
    const { signed, step: at } = filed;
    demand(toMs(decision.issuedAt) <= toMs(entry.at) + CLOCK_SKEW_MS, at, 'dated after the revision it made');
    this.demandAdmitted(filed, toMs(decision.issuedAt), this.ring);
    demandEnrolled(signed, decision.person, [toMs(decision.issuedAt)], this.roster, at);
    this.demandMandate(filed, []);
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
    const filed = this.decisions.get(digest);
    this.lodged.push({ entry, digest, vote: filed && this.vote(digest, filed) });
    if (filed === undefined) return this.warn(`${step}: the ${object} by ${by} is not in the file: the executor's word alone`);
    const { signed, decision } = filed;
    // A withdrawal, which can make an action run, is taken by the roster's keys, valid then and now, also from people asked no more (§6.11).
    this.demandAdmitted(filed, toMs(entry.at), object === 'withdraw' ? rosterRing(this.roster) : this.ring);
    demand(decision.verdict === object && by === `person:${decision.person}`, step, 'names another kind of decision, or another author');
    // A rejection is taken by the sealed keys, whatever became of them since: they are the same people's in the roster, that is all.
    this.demandMandate(filed, []);
    demandEnrolled(signed, decision.person, [], this.roster, filed.step);
  }

  private execute(entry: Of<'executing'>, step: string): void {
    const at = toMs(entry.at);
    const { newest } = this;
    demand(newest !== undefined, step, 'the envelope that was executed is not in the file');
    const votes = entry.decisions.map((digest): Vote => {
      const filed = this.decisions.get(digest);
      demand(filed !== undefined, step, `the counted decision ${digest} is not in the file`);
      this.demandAdmitted(filed, at, this.ring);
      const { signed, step: where, decision } = filed;
      const vote = this.vote(digest, filed);
      demand(vote?.act.verdict === 'approve', where, `counted, but it says ${decision.verdict}`);
      demandEnrolled(signed, decision.person, [toMs(decision.issuedAt), at], this.roster, where);
      this.demandMandate(filed, [at]);
      return vote;
    });
    const { rejected, quorum } = this.tally(newest, votes);
    demand(!rejected, step, 'executed while a rejection stood');
    demand(quorum !== undefined, step, 'the counted decisions do not meet the sealed rule');
    const { counted } = quorum;
    const isAllOfThem = counted.length === entry.decisions.length && counted.every((digest) => entry.decisions.includes(digest));
    demand(isAllOfThem, step, 'names decisions that do not count');
    demand(at < quorum.executeBy, step, 'executed after the time to start was over');
    demand(at >= floorOf(newest.envelope), step, 'executed before the minimum time since the seal was over');
    this.counted = votes.map(({ person, by, digest }) => ({ person, ...(by === undefined ? {} : { by }), digest }));
  }

  private vote(digest: Digest, { signed, decision }: FiledDecision): Vote | undefined {
    return voteOf(digest, decision, isIndependent(signed, this.ring));
  }

  /** What the lodged decisions and these votes amount to. */
  private tally({ envelope, digest }: Seal, votes: readonly Vote[]): Tally {
    return tally(ladderOf(envelope), digest, [...votes, ...this.noes()]);
  }

  /** Lodged rejections and withdrawals as votes: once on record they stand, until withdrawn. */
  private noes(): Vote[] {
    return this.lodged.flatMap((each, i) => (this.isTakenBack(each, i) ? [] : (each.vote ?? unseen(each))));
  }

  /** By a later withdrawal of the same person whose bytes are missing, so that nobody can tell what it took back. */
  private isTakenBack({ entry, vote }: Lodged, i: number): boolean {
    const seat = vote === undefined ? entry.by : `person:${vote.person}`;
    const takesBack = ({ entry: { object, by }, vote: seen }: Lodged): boolean =>
      object === 'withdraw' && seen === undefined && (by === entry.by || by === seat);
    return entry.object === 'reject' && this.lodged.slice(i + 1).some(takesBack);
  }

  /** By the reader's own roster too, the person decided for signed the delegation, by a key valid then and at these times (ms). */
  private demandMandate({ step, mandate }: FiledDecision, at: readonly number[]): void {
    if (mandate === undefined) return;
    demandEnrolled(mandate.signed, mandate.from, [toMs(mandate.issuedAt), ...at], this.roster, `${step}, its delegation`);
  }

  /** Throws `Broken` unless the executor had to take it then, in ms, by these keys. */
  private demandAdmitted({ signed, step }: FiledDecision, now: number, ring: KeyRing): void {
    demand(this.newest !== undefined, step, 'the envelope under review when it was taken is not in the file');
    const admission = admit(signed, this.revisions, ring, now);
    if (!admission.ok) throw new Broken(step, `${admission.refusal.code}: ${admission.refusal.text}`);
  }
}

/** The parameters with a patch applied; null where it leads nowhere. */
const patched = (params: Json, patch: Readonly<Record<string, Json>>): Json =>
  Object.entries(patch).reduce<Json>((value, [pointer, to]) => replaceAt(value, pointer, to) ?? null, params);

/** A rejection whose bytes are missing: at the executor's word. */
function unseen({ entry, digest }: Lodged): Vote[] {
  const person = personIdSchema.safeParse(entry.by.replace(/^person:/, ''));
  if (entry.object !== 'reject' || !person.success) return [];
  const act = { verdict: 'reject', reason: '' } as const;
  return [{ digest, person: person.data, issuedAt: toMs(entry.at), independent: false, envelope: digest, act }];
}
