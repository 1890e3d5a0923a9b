import { digestOfSigned, signedSchema, type Signed } from '../../../src/domain/dsse.js';
import type { ActionId, Digest } from '../../../src/domain/ids.js';
import { parseStrict } from '../../../src/domain/json.js';
import type { ResultOf } from '../../../src/domain/objects/answer.js';
import { openEnvelope } from '../../../src/executor/envelopes.js';
import { openSealed, type SealedRevision } from '../../helpers/messages.js';
import { World } from '../../helpers/world.js';
import { NaiveModel } from './naive-model.js';
import { START } from './settings.js';

/** An action as the coordinator has it: its revisions as sealed, and every message anybody ever signed about it. */
export interface Known {
  readonly id: ActionId;
  readonly request: Signed;
  readonly revisions: SealedRevision[];
  readonly messages: Signed[];
}

/** What all parts of the hostile run share: the world, the model that watches it, and the calls under way. */
export class Stage {
  readonly known: Known[] = [];
  readonly freezes: Signed[] = [];
  readonly model: NaiveModel;
  private unfinished = 0;
  private readonly failures: unknown[] = [];

  private constructor(readonly world: World) {
    this.model = new NaiveModel(world.database, world.bank, (digest) => this.sealOf(digest));
  }
  static async open(): Promise<Stage> {
    const world = await World.open();
    world.clock.ms = START;
    return new Stage(world);
  }

  start(call: () => Promise<unknown>): void {
    this.unfinished++;
    call()
      .catch((error: unknown) => this.failures.push(error))
      .finally(() => this.unfinished--);
  }
  /** A call for a seal: what it gives is remembered. */
  startSeal(id: ActionId, call: () => Promise<ResultOf<'seal'>>): void {
    this.start(() => call().then((result) => this.learn(id, result)));
  }
  /** Until every call is answered, or hangs at the bank. A call that throws is a bug: every answer is a signed one. */
  async quiet(): Promise<void> {
    for (let turns = 0; this.unfinished > this.world.bank.hangingNow; turns++) {
      if (turns > 20_000) throw new Error('a call neither ends nor hangs at the bank');
      await new Promise((resume) => setImmediate(resume));
    }
    if (this.failures.length > 0) throw this.failures[0];
  }
  /** Quiet, and then the model looks. */
  async settle(): Promise<void> {
    await this.quiet();
    await this.model.check();
  }

  private learn(id: ActionId, result: ResultOf<'seal'>): void {
    if (result.kind !== 'sealed') return;
    const sealed = openSealed(result);
    const action = this.known.find((each) => each.id === id);
    if (action !== undefined && action.revisions.every(({ digest }) => digest !== sealed.digest)) action.revisions.push(sealed);
  }

  private async sealOf(digest: string): Promise<{ readonly cents: number; readonly type: string; readonly allowed: boolean }> {
    const rows = await this.world.database.transaction((sql) => sql.all('SELECT signed FROM envelope WHERE digest = ?', digest));
    const { params, type, rule } = openEnvelope(signedSchema.parse(parseStrict(String(rows[0]?.['signed']))));
    return { cents: Number(params['cents']), type: type.name, allowed: rule.effect === 'allow' };
  }

  at(n: number): Known | undefined {
    return this.known[n % Math.max(1, this.known.length)];
  }
  revision(action: Known | undefined, back: number): SealedRevision | undefined {
    return action?.revisions.at(-1 - (back % Math.max(1, action.revisions.length)));
  }
  digest(action: Known, back: number): Digest {
    return (back === 99 ? undefined : this.revision(action, back)?.digest) ?? ('f'.repeat(64) as Digest);
  }
}

/** The digest of a message, or '' of bytes that have none. */
export const safeDigest = (signed: Signed): string => {
  try {
    return digestOfSigned(signed);
  } catch {
    return '';
  }
};
