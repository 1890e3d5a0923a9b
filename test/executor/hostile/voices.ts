import { digestOfSigned, type Signed } from '../../../src/domain/dsse.js';
import { approve, cancel, damaged, freeze, modify, reject, thaw, withdraw, type SealedRevision } from '../../helpers/messages.js';
import { PEOPLE } from '../../helpers/rules-fixture.js';
import { keyOfPerson, signerOf } from '../../helpers/signers.js';
import type { Said } from './account.js';
import type { Command, Forge } from './commands.js';
import { give, lodge } from './orders.js';
import { safeDigest, type Known, type Stage } from './stage.js';

type Of<D extends Command['do']> = Extract<Command, { do: D }>;
interface Subject {
  readonly action: Known;
  readonly sealed: SealedRevision;
  readonly person: string;
}

/** dana owns the agent: her voice never counts. */
const AGREEING = ['ana', 'ben', 'dana', 'cleo', 'eva'];

/** What people sign, honest or not. The model is told what was really said, and by whom. */
export class Voices {
  private sum = 1_000;
  constructor(private readonly stage: Stage) {}

  /** Anything about anything, well or badly signed; the coordinator has it from now on. */
  say({ action: n, back, person: who, verdict, ago, forge }: Of<'say'>): void {
    const subject = this.subject(n, back, PEOPLE[who]);
    if (subject === undefined) return;
    const { action, sealed, person } = subject;
    const at = this.now - ago;
    const options = { at, ...forged(forge, person) };
    const earlier = action.messages.findLast((message) => this.stage.model.said.get(safeDigest(message))?.person === person);
    const cents = ++this.sum;
    if (verdict === 'withdraw' && earlier === undefined) return;
    const honest: Said = { person, verdict, about: sealed.digest, at, honest: forge === 'none' };
    const said = verdict === 'withdraw' && earlier !== undefined ? { ...honest, takesBack: safeDigest(earlier) } : honest;
    const sign = (): Signed => {
      if (verdict === 'withdraw' && earlier !== undefined) return withdraw(person, sealed, earlier, options);
      return verdict === 'modify'
        ? modify(person, sealed, { '/cents': cents }, options)
        : (verdict === 'reject' ? reject : approve)(person, sealed, options);
    };
    this.keep(action, spoilt(forge, sign()), said, cents);
  }

  /** Honest people agree on what is newest, and the coordinator passes it on: or nothing would ever run. */
  agree(n: number, people: number): void {
    for (const each of AGREEING.slice(0, people)) {
      const subject = this.subject(n, 0, each);
      if (subject === undefined) return;
      const { action, sealed, person } = subject;
      const said: Said = { person, verdict: 'approve', about: sealed.digest, at: this.now, honest: true };
      this.keep(action, approve(person, sealed, { at: this.now }), said);
    }
    give(this.stage, { do: 'advance', action: n, back: 0, show: { which: 'approvals' }, stop: false });
  }

  /** A reviewer changes the newest revision. */
  edit(n: number, who: number): void {
    const subject = this.subject(n, 0, PEOPLE[who]);
    if (subject === undefined) return;
    const { action, sealed, person } = subject;
    const cents = ++this.sum;
    const signed = modify(person, sealed, { '/cents': cents }, { at: this.now });
    this.keep(action, signed, { person, verdict: 'modify', about: sealed.digest, at: this.now, honest: true }, cents);
    this.stage.startSeal(action.id, () => this.stage.world.modify(action.id, signed));
  }

  /** A reviewer says no: straight to the ledger, or along with everything else. */
  object({ action: n, person: who, lodged }: Of<'object'>): void {
    const subject = this.subject(n, 0, PEOPLE[who]);
    if (subject === undefined) return;
    const { action, sealed, person } = subject;
    const signed = reject(person, sealed, { at: this.now });
    this.keep(action, signed, { person, verdict: 'reject', about: sealed.digest, at: this.now, honest: true });
    if (lodged) lodge(this.stage, action, signed);
    else give(this.stage, { do: 'advance', action: n, back: 0, show: { which: 'all' }, stop: false });
  }

  /** Enough people agree, and at the same moment something comes that stands against it: the ledger decides which was first. */
  race({ action, person, against, later }: Of<'race'>): void {
    this.agree(action, 4);
    this.stage.start(async () => {
      for (let i = 0; i < later; i++) await Promise.resolve();
      if (against === 'object') this.object({ do: 'object', action, person, lodged: true });
      if (against === 'edit') this.edit(action, person);
      if (against === 'freeze') this.freeze(PEOPLE.indexOf('eva'));
      if (against === 'cancel') this.cancel(action, true);
    });
  }

  freeze(who: number): void {
    const signed = freeze(PEOPLE[who] ?? 'ana', { all: true }, { at: this.now });
    this.stage.freezes.push(signed);
    this.stage.start(() => this.stage.world.lodge(null, signed));
  }
  thaw(person: string): void {
    for (const frozen of this.stage.freezes) {
      const signed = thaw(person, frozen, { at: this.now });
      this.stage.model.thawOf.set(digestOfSigned(signed), { person, freeze: digestOfSigned(frozen) });
      this.stage.start(() => this.stage.world.lodge(null, signed));
    }
  }

  cancel(n: number, honest: boolean): void {
    const action = this.stage.at(n);
    if (action === undefined) return;
    const signed = cancel(action.id, { at: this.now, ...(honest ? {} : { by: signerOf('stranger') }) });
    this.stage.start(() => this.stage.world.lodge(action.id, signed));
  }

  private get now(): number {
    return this.stage.world.clock.ms;
  }
  /** Who may speak of what: nobody, while there is no such action, revision or person. */
  private subject(n: number, back: number, person: string | undefined): Subject | undefined {
    const action = this.stage.at(n);
    const sealed = this.stage.revision(action, back);
    return action === undefined || sealed === undefined || person === undefined ? undefined : { action, sealed, person };
  }
  private keep(action: Known, signed: Signed, said: Said, cents?: number): void {
    const { model } = this.stage;
    action.messages.push(signed);
    const digest = safeDigest(signed);
    if (digest !== '') model.said.set(digest, said);
    if (said.verdict === 'modify' && said.honest && cents !== undefined) model.editorOf.set(cents, said.person);
  }
}

const spoilt = (forge: Forge, signed: Signed): Signed => {
  if (forge === 'damaged') return damaged(signed);
  return forge === 'garbage' ? { ...signed, payload: signed.payload.slice(0, -3) } : signed;
};

function forged(forge: Forge, person: string): Parameters<typeof approve>[2] {
  const other = person === 'ana' ? 'ben' : 'ana';
  if (forge === 'other_key') return { by: keyOfPerson(other) };
  if (forge === 'view') return { forge: { view: 'f'.repeat(64) } };
  return forge === 'person' ? { forge: { person: other } } : {};
}
