import type { Digest, PersonId } from '../ids.js';
import { toMs } from '../instant.js';
import type { Entry } from '../objects/entry.js';
import type { Envelope } from '../objects/envelope.js';
import type { ReviewMessage } from '../objects/review.js';
import { readReview } from '../post-review.js';
import type { Roster } from '../roster.js';
import type { Agreement } from './agreement.js';
import { Broken, demand } from './broken.js';
import type { Link } from './chain.js';
import type { Filed } from './filed.js';
import { rosterRing } from './people.js';

type Of<K extends Entry['kind']> = Extract<Entry, { kind: K }>;

const EXACTLY = 'owes a post-review exactly if it was sealed as break-glass';

/**
 * The post-review of a break-glass action (§6.10): what its start owes is what was sealed, without those who let it run; each review is by one of the
 * people it names; and a file without enough of them says so.
 */
export class PostReviews {
  private owed: (NonNullable<Of<'executing'>['postReview']> & { readonly envelope: Envelope }) | undefined;
  private readonly signed = new Map<Digest, { readonly by: string; readonly said: ReviewMessage | undefined }>();
  private reviewed: Of<'reviewed'> | undefined;

  constructor(
    private readonly messages: Filed,
    private readonly agreement: Agreement,
    private readonly roster: Roster,
    private readonly warn: (text: string) => void,
  ) {}

  /** After `agreement` was told the same link. Throws `Broken`. */
  tell({ entry, step }: Link): void {
    switch (entry.kind) {
      case 'executing':
        return this.began(entry, step);
      case 'lodged':
        if (entry.object === 'review') this.lodged(entry, step);
        return;
      case 'reviewed':
        return this.settled(entry, step);
      default:
      // Nothing else is about a post-review.
    }
  }

  /** What a reader should know once the file is read. */
  tellOpen(): void {
    if (this.owed === undefined) return;
    const { people, quorum, due } = this.owed;
    if (this.reviewed === undefined)
      this.warn(
        `break-glass, and NOT REVIEWED in this file: ${this.signed.size} of ${quorum} signed; ${people.join(', ')} may, due ${due}`,
      );
    else this.warn(`break-glass; reviewed by ${this.reviewed.by.join(', ')}: ${this.reviewed.verdict}`);
  }

  private began({ postReview, at }: Of<'executing'>, step: string): void {
    const { seal } = this.agreement.sealed;
    demand(seal !== undefined, step, 'the envelope that was executed is not in the file');
    const { envelope } = seal;
    const { breakGlass } = envelope;
    if (postReview === undefined) return demand(breakGlass === undefined, step, EXACTLY);
    demand(breakGlass !== undefined, step, EXACTLY);
    const out = new Set<PersonId | null>([envelope.owner, envelope.onBehalfOf, ...envelope.contributors]);
    for (const { person, by } of this.agreement.counted) out.add(person).add(by ?? person);
    demand(
      postReview.people.every((person) => breakGlass.people.includes(person) && !out.has(person)),
      step,
      'names somebody to review it who may not',
    );
    demand(
      postReview.quorum === breakGlass.quorum && toMs(postReview.due) === toMs(at) + breakGlass.reviewWithin,
      step,
      'owes another post-review than was sealed',
    );
    this.owed = { ...postReview, envelope };
  }

  private lodged({ digest, by, at }: Of<'lodged'>, step: string): void {
    demand(this.owed !== undefined && digest !== null, step, 'no post-review is owed');
    const { people } = this.owed;
    demand(![...this.signed.values()].some((each) => each.by === by), step, `${by} reviewed it before`);
    const filed = this.messages.get(digest);
    if (filed === undefined) {
      demand(
        people.some((person) => by === `person:${person}`),
        step,
        `${by} does not review it`,
      );
      this.warn(`${step}: the review by ${by} is not in the file: the executor's word alone`);
      this.signed.set(digest, { by, said: undefined });
      return;
    }
    const { deployment, actionId, webauthn } = this.owed.envelope;
    const rings = [this.agreement.sealed.ring, rosterRing(this.roster)];
    const read = readReview(filed.signed, { deployment, actionId, people }, rings, toMs(at), webauthn);
    if (!read.ok) throw new Broken(filed.step, `${read.refusal.code}: ${read.refusal.text}`);
    demand(by === `person:${read.value.by}`, step, 'names another author than the review it lodged');
    this.signed.set(digest, { by, said: read.value });
  }

  private settled(entry: Of<'reviewed'>, step: string): void {
    const signed = [...this.signed].filter(([digest]) => entry.digests.includes(digest)).map(([, each]) => each);
    demand(this.owed !== undefined, step, 'no post-review is owed');
    demand(
      new Set(entry.by).size === entry.by.length && entry.by.length === entry.digests.length && entry.by.length >= this.owed.quorum,
      step,
      'not by enough distinct people',
    );
    demand(
      entry.by.every((person) => signed.some(({ by }) => by === `person:${person}`)),
      step,
      'counts a review that is not on record',
    );
    const said = signed.map((each) => each.said?.verdict);
    // One who finds it unjustified is not outvoted, whatever those said whose bytes are missing.
    const due = said.includes('not_justified') ? 'not_justified' : said.includes(undefined) ? entry.verdict : 'justified';
    demand(entry.verdict === due, step, 'says something else than its reviews');
    this.reviewed = entry;
  }
}
