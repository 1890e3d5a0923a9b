import { digestOfSigned, type Signed } from '../../../src/domain/dsse.js';
import type { ActionId, Digest } from '../../../src/domain/ids.js';
import type { ResultOf } from '../../../src/domain/objects/answer.js';
import { openEnvelope } from '../../../src/executor/envelopes.js';
import {
  approve,
  cancel,
  damaged,
  freeze,
  modify,
  openSealed,
  reject,
  request,
  resolve,
  thaw,
  withdraw,
  type SealedRevision,
} from '../../helpers/messages.js';
import { PEOPLE } from '../../helpers/rules-fixture.js';
import { keyOfPerson, signerOf } from '../../helpers/signers.js';
import { HOUR, SECOND, World } from '../../helpers/world.js';
import { parseStrict } from '../../../src/domain/json.js';
import { signedSchema } from '../../../src/domain/dsse.js';
import { NaiveModel } from './naive-model.js';
import { POLICIES, ROSTERS, START } from './settings.js';
import type { Command, Forge, Order, Show } from './commands.js';

const TYPES = ['payments.transfer', 'payments.batch', 'payments.by-hand'] as const;
/** dana owns the agent: her voice never counts. */
const AGREEING = ['ana', 'ben', 'dana', 'cleo', 'eva'];
interface Known {
  readonly id: ActionId;
  readonly request: Signed;
  readonly revisions: SealedRevision[];
  readonly messages: Signed[];
}

/** Carries out commands against one executor and its fake bank, and lets the model look after each. */
export class Coordinator {
  private readonly known: Known[] = [];
  private readonly freezes: Signed[] = [];
  private readonly thaws = new Map<string, { readonly person: string; readonly freeze: string }>();
  private unfinished = 0;
  private sum = 1_000;
  private readonly failures: unknown[] = [];
  readonly model: NaiveModel;

  private constructor(readonly world: World) {
    this.model = new NaiveModel(world.database, world.bank, (digest) => this.sumOf(digest), this.thaws);
  }
  static async open(): Promise<Coordinator> {
    const world = await World.open();
    world.clock.ms = START;
    return new Coordinator(world);
  }

  async run(command: Command): Promise<void> {
    await this.carryOut(command);
    await this.settle();
  }

  private async carryOut(command: Command): Promise<void> {
    const { world, model } = this;
    switch (command.do) {
      case 'propose':
        return this.propose(command);
      case 'say':
        return this.say(command);
      case 'object':
        return this.object(command);
      case 'edit':
        return this.edit(command.action, command.person);
      case 'race':
        return this.race(command);
      case 'agree':
        return this.agree(command.action, command.people);
      case 'twice':
        for (const order of command.orders) this.order(order);
        return;
      case 'pass':
        return world.clock.pass(command.ms);
      case 'policy':
        model.policy = POLICIES[command.n] ?? model.policy;
        return world.rules.setPolicy(model.policy.file);
      case 'roster':
        model.roster = ROSTERS[command.n] ?? model.roster;
        return world.rules.setRoster(model.roster.file);
      case 'break':
        return world.rules.break();
      case 'mend':
        return world.rules.mend();
      case 'target':
        return void world.bank.version++;
      case 'type':
        return this.changeType(model.typeVersion === '1' ? '2' : '1');
      case 'crash':
        return world.restart();
      case 'bank':
        return world.bank.plan(command);
      case 'release':
        return void world.bank.release(command.effect);
      case 'freeze':
        return this.freeze(command.person);
      case 'thaw':
        return this.thaw(command.person);
      case 'cancel':
        return this.cancel(command.action, command.honest);
      case 'resolve':
        return this.resolve(this.at(command.action), command.lie);
      default:
        return this.order(command);
    }
  }

  private propose({ type, key, by }: Extract<Command, { do: 'propose' }>): void {
    const params = { vendor: 'ACME', cents: 100 + key };
    const signer = by === 'stranger' ? { by: signerOf('stranger') } : {};
    const { id, signed } = request({ type: TYPES[type % 3] ?? TYPES[0], idempotencyKey: `key ${key}`, params, ...signer });
    const action = this.known.find((each) => each.id === id);
    if (action === undefined && by === 'agent') this.known.push({ id, request: signed, revisions: [], messages: [] });
    this.start(() => this.world.seal(id, by === 'damaged' ? damaged(signed) : signed).then((result) => this.learn(id, result)));
  }

  private learn(id: ActionId, result: ResultOf<'seal'>): void {
    if (result.kind !== 'sealed') return;
    const sealed = openSealed(result);
    const action = this.known.find((each) => each.id === id);
    if (action !== undefined && action.revisions.every(({ digest }) => digest !== sealed.digest)) action.revisions.push(sealed);
  }

  private say({ action: n, back, person: who, verdict, ago, forge }: Extract<Command, { do: 'say' }>): void {
    const action = this.at(n);
    const sealed = this.revision(action, back);
    const person = PEOPLE[who];
    if (action === undefined || sealed === undefined || person === undefined) return;
    const at = this.world.clock.ms - ago;
    const options = { at, ...forged(forge, person) };
    const earlier = action.messages.findLast((message) => this.model.said.get(safeDigest(message))?.person === person);
    const cents = ++this.sum;
    let signed: Signed;
    if (verdict === 'withdraw') {
      if (earlier === undefined) return;
      signed = withdraw(person, sealed, earlier, options);
    } else if (verdict === 'modify') signed = modify(person, sealed, { '/cents': cents }, options);
    else signed = (verdict === 'approve' ? approve : reject)(person, sealed, options);
    if (forge === 'damaged') signed = damaged(signed);
    if (forge === 'garbage') signed = { ...signed, payload: signed.payload.slice(0, -3) };
    action.messages.push(signed);
    if (forge === 'garbage') return;
    const honest = forge === 'none';
    const takesBack = verdict === 'withdraw' && earlier !== undefined ? { takesBack: safeDigest(earlier) } : {};
    // A damaged signature covers the same bytes: the digest is told apart by what was honestly signed, and here nothing was.
    this.model.said.set(digestOfSigned(signed), { person, verdict, about: sealed.digest, at, honest, ...takesBack });
    if (verdict === 'modify' && honest) this.model.editorOf.set(cents, person);
  }

  /** Honest people agree on what is newest, and the coordinator passes it on: or nothing would ever run. */
  private agree(n: number, people: number): void {
    const action = this.at(n);
    const sealed = this.revision(action, 0);
    if (action === undefined || sealed === undefined) return;
    for (const person of AGREEING.slice(0, people)) {
      const at = this.world.clock.ms;
      const signed = approve(person, sealed, { at });
      action.messages.push(signed);
      this.model.said.set(digestOfSigned(signed), { person, verdict: 'approve', about: sealed.digest, at, honest: true });
    }
    this.order({ do: 'advance', action: n, back: 0, show: { which: 'approvals' }, stop: false });
  }

  /** A reviewer changes the newest revision. */
  private edit(n: number, who: number): void {
    const action = this.at(n);
    const sealed = this.revision(action, 0);
    const person = PEOPLE[who];
    if (action === undefined || sealed === undefined || person === undefined) return;
    const [at, cents] = [this.world.clock.ms, ++this.sum];
    const signed = modify(person, sealed, { '/cents': cents }, { at });
    action.messages.push(signed);
    this.model.said.set(digestOfSigned(signed), { person, verdict: 'modify', about: sealed.digest, at, honest: true });
    this.model.editorOf.set(cents, person);
    this.start(() => this.world.modify(action.id, signed).then((result) => this.learn(action.id, result)));
  }

  /** Enough people agree, and at the same moment something comes that stands against it: the ledger decides which was first. */
  private race({ action, person, against, later }: Extract<Command, { do: 'race' }>): void {
    this.agree(action, 4);
    this.start(async () => {
      for (let i = 0; i < later; i++) await Promise.resolve();
      if (against === 'object') this.object({ do: 'object', action, person, lodged: true });
      if (against === 'edit') this.edit(action, person);
      if (against === 'freeze') this.freeze(4);
      if (against === 'cancel') this.cancel(action, true);
    });
  }

  private object({ action: n, person: who, lodged }: Extract<Command, { do: 'object' }>): void {
    const action = this.at(n);
    const sealed = this.revision(action, 0);
    const person = PEOPLE[who];
    if (action === undefined || sealed === undefined || person === undefined) return;
    const at = this.world.clock.ms;
    const signed = reject(person, sealed, { at });
    action.messages.push(signed);
    this.model.said.set(digestOfSigned(signed), { person, verdict: 'reject', about: sealed.digest, at, honest: true });
    if (lodged) this.start(() => this.world.lodge(action.id, signed));
    else this.order({ do: 'advance', action: n, back: 0, show: { which: 'all' }, stop: false });
  }

  private order(order: Order): void {
    const action = this.at(order.action);
    if (action === undefined) return;
    const { id } = action;
    const { world } = this;
    switch (order.do) {
      case 'advance': {
        const digest = this.digest(action, order.back);
        const shown = this.show(action, order.show);
        return this.start(() => world.advance({ id, digest }, shown, order.stop ? { stop: true } : {}));
      }
      case 'lodge': {
        const message = action.messages[order.message % Math.max(1, action.messages.length)];
        return message === undefined ? undefined : this.start(() => world.lodge(id, message));
      }
      case 'close': {
        const shown = this.show(action, order.show);
        return this.start(() => world.close(id, order.reason, shown));
      }
      case 'modify': {
        const message = action.messages[order.message % Math.max(1, action.messages.length)];
        return message === undefined ? undefined : this.start(() => world.modify(id, message).then((result) => this.learn(id, result)));
      }
      case 'reseal':
        return this.start(() => world.reseal(id, this.digest(action, order.back)).then((result) => this.learn(id, result)));
      case 'seal_again':
        return this.start(() => world.seal(id, action.request).then((result) => this.learn(id, result)));
    }
  }

  private show({ id, messages }: Known, show: Show): Signed[] {
    const chosen = messages.filter((message, i) => {
      const verdict = this.model.said.get(safeDigest(message))?.verdict;
      return show.which === 'some'
        ? (show.mask >> (i % 8)) % 2 === 1
        : show.which === 'approvals'
          ? verdict === 'approve'
          : show.which !== 'none';
    });
    const seen = this.model.shown.get(id) ?? new Set();
    for (const message of chosen) seen.add(safeDigest(message));
    this.model.shown.set(id, seen);
    const newest = chosen.slice(-140);
    return show.which === 'doubled' ? [...newest, ...newest] : newest;
  }

  private changeType(version: string): void {
    this.model.typeVersion = version;
    for (const [name, type] of this.world.types) this.world.types.set(name, { ...type, version });
  }

  private freeze(who: number): void {
    const signed = freeze(PEOPLE[who] ?? 'ana', { all: true }, { at: this.world.clock.ms });
    this.freezes.push(signed);
    this.start(() => this.world.lodge(null, signed));
  }
  private thaw(who: number): void {
    for (const frozen of this.freezes) this.thawOne(PEOPLE[who] ?? 'ana', frozen);
  }
  private thawOne(person: string, frozen: Signed): void {
    const signed = thaw(person, frozen, { at: this.world.clock.ms });
    this.thaws.set(digestOfSigned(signed), { person, freeze: digestOfSigned(frozen) });
    this.start(() => this.world.lodge(null, signed));
  }

  private cancel(n: number, honest: boolean): void {
    const action = this.at(n);
    if (action === undefined) return;
    const signed = cancel(action.id, { at: this.world.clock.ms, ...(honest ? {} : { by: signerOf('stranger') }) });
    this.start(() => this.world.lodge(action.id, signed));
  }

  /** eva looks at the bank's own books and says what she found; an outsider says whatever he likes. */
  private async resolve(action: Known | undefined, lie: boolean): Promise<void> {
    const { world } = this;
    const waits = action === undefined ? undefined : await this.waiting(action.id);
    if (action === undefined || waits === undefined) return;
    const { n, key, state } = waits;
    const at = world.clock.ms;
    if (lie) return this.start(() => world.lodge(action.id, resolve('ana', action.id, n, 'happened', { at })));
    const happened = world.bank.done.has(key);
    if (!happened) world.bank.fenceByHand(key);
    if (state === 'partial') world.bank.undoByHand(key);
    const verdict = state === 'partial' ? 'undone_by_hand' : happened ? 'happened' : 'did_not';
    return this.start(() => world.lodge(action.id, resolve('eva', action.id, n, verdict, { at })));
  }

  /** The step that waits for a person, as the operator's page shows it. */
  private async waiting(id: ActionId): Promise<{ n: number; key: string; state: 'unknown' | 'partial' } | undefined> {
    const rows = await this.world.database.transaction((sql) =>
      sql.all(
        `SELECT step.n AS n, step.idempotency_key AS key, action.state AS state FROM action JOIN step ON step.action_id = action.id AND step.phase = 'run'
         JOIN step AS undo ON undo.action_id = action.id AND undo.phase = 'undo' AND undo.n = step.n
         WHERE action.id = ? AND ((action.state = 'unknown' AND step.state = 'unknown') OR (action.state = 'partial' AND undo.state IN ('failed', 'unknown') AND step.state = 'done'))`,
        id,
      ),
    );
    const row = rows[0];
    return row === undefined
      ? undefined
      : { n: Number(row['n']), key: String(row['key']), state: row['state'] === 'unknown' ? 'unknown' : 'partial' };
  }

  /** At last an honest coordinator, a working bank and willing people: whatever began comes to an end. */
  async finish(effect: boolean): Promise<void> {
    const { world } = this;
    while (world.bank.release(effect)) await this.quiet();
    world.bank.works();
    world.rules.mend();
    this.changeType('1');
    for (const frozen of this.freezes) for (const person of ['cleo', 'eva']) this.thawOne(person, frozen);
    await this.settle();
    for (const action of this.known) {
      await this.untilEnded(action);
      if (!this.isConsumed(action)) await this.decide(action, effect);
      await this.untilEnded(action);
    }
    world.clock.pass(25 * HOUR);
    for (const action of this.known.filter((each) => !this.isConsumed(each))) this.close(action, 'expired');
    await this.settle();
    for (const { id, end, consumed } of this.model.actions.values())
      // A step of a type that was released anew meanwhile waits for its own version.
      if (end === undefined && consumed?.typeVersion !== '2') throw new Error(`${id} never ends`);
  }

  private async untilEnded(action: Known): Promise<void> {
    for (let i = 0; i < 60 && (await this.began(action.id)); i++) {
      this.start(() => this.world.advance({ id: action.id, digest: this.digest(action, 0) }));
      await this.resolve(action, false);
      this.world.clock.pass(SECOND);
      await this.settle();
    }
  }

  /** What was rejected is closed so; else people may still agree. */
  private async decide(action: Known, agree: boolean): Promise<void> {
    this.close(action, 'rejected');
    await this.settle();
    for (let i = 0; i < 3 && agree; i++) {
      for (const what of ['seal_again', 'reseal'] as const) {
        this.order({ do: what, action: this.known.indexOf(action), back: 0 });
        await this.settle();
      }
      this.agree(this.known.indexOf(action), 4);
      await this.settle();
    }
  }
  private close(action: Known, reason: 'rejected' | 'expired'): void {
    this.order({ do: 'close', action: this.known.indexOf(action), reason, show: { which: 'none' } });
  }
  private isConsumed({ id }: Known): boolean {
    return this.model.actions.get(id)?.consumed !== undefined;
  }
  private async settle(): Promise<void> {
    await this.quiet();
    await this.model.check();
    this.model.shown.clear();
  }
  private async began(id: ActionId): Promise<boolean> {
    const rows = await this.world.database.transaction((sql) => sql.all('SELECT state FROM action WHERE id = ?', id));
    const row = rows[0];
    return row !== undefined && ['executing', 'undoing', 'unknown', 'partial'].includes(String(row['state']));
  }

  private start(call: () => Promise<unknown>): void {
    this.unfinished++;
    call()
      .catch((error: unknown) => this.failures.push(error))
      .finally(() => this.unfinished--);
  }
  /** Until every call is answered, or hangs at the bank. A call that throws is a bug: every answer is a signed one. */
  private async quiet(): Promise<void> {
    for (let turns = 0; this.unfinished > this.world.bank.hangingNow; turns++) {
      if (turns > 20_000) throw new Error('a call neither ends nor hangs at the bank');
      await new Promise((resume) => setImmediate(resume));
    }
    if (this.failures.length > 0) throw this.failures[0];
  }

  private async sumOf(digest: string): Promise<number> {
    const rows = await this.world.database.transaction((sql) => sql.all('SELECT signed FROM envelope WHERE digest = ?', digest));
    return Number(openEnvelope(signedSchema.parse(parseStrict(String(rows[0]?.['signed'])))).params['cents']);
  }
  private at(n: number): Known | undefined {
    return this.known[n % Math.max(1, this.known.length)];
  }
  private revision(action: Known | undefined, back: number): SealedRevision | undefined {
    return action?.revisions.at(-1 - (back % Math.max(1, action.revisions.length)));
  }
  private digest(action: Known, back: number): Digest {
    return (back === 99 ? undefined : this.revision(action, back)?.digest) ?? ('f'.repeat(64) as Digest);
  }
}

const safeDigest = (signed: Signed): string => {
  try {
    return digestOfSigned(signed);
  } catch {
    return '';
  }
};

function forged(forge: Forge, person: string): Parameters<typeof approve>[2] {
  if (forge === 'other_key') return { by: keyOfPerson(person === 'ana' ? 'ben' : 'ana') };
  if (forge === 'view') return { forge: { view: 'f'.repeat(64) } };
  if (forge === 'person') return { forge: { person: person === 'ana' ? 'ben' : 'ana' } };
  return {};
}
