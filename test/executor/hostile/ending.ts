import type { ActionId } from '../../../src/domain/ids.js';
import { resolve } from '../../helpers/messages.js';
import { HOUR, SECOND } from '../../helpers/world.js';
import { give } from './orders.js';
import type { Known, Stage } from './stage.js';
import type { Voices } from './voices.js';

/** What honest people do about what began: they find out, they say so, and in the end everything ends. */
export class Ending {
  constructor(
    private readonly stage: Stage,
    private readonly voices: Voices,
  ) {}

  /** eva looks at the bank's own books and says what she found; an outsider says whatever he likes. */
  async resolve(action: Known | undefined, lie: boolean): Promise<void> {
    const { world } = this.stage;
    const waits = action === undefined ? undefined : await this.waiting(action.id);
    if (action === undefined || waits === undefined) return;
    const { n, key, state } = waits;
    const at = world.clock.ms;
    if (lie) return this.stage.start(() => world.lodge(action.id, resolve('ana', action.id, n, 'happened', { at })));
    const happened = world.bank.done.has(key);
    if (!happened) world.bank.fenceByHand(key);
    if (state === 'partial') world.bank.undoByHand(key);
    const verdict = state === 'partial' ? 'undone_by_hand' : happened ? 'happened' : 'did_not';
    return this.stage.start(() => world.lodge(action.id, resolve('eva', action.id, n, verdict, { at })));
  }

  /** The step that waits for a person, as the operator's page shows it. */
  private async waiting(id: ActionId): Promise<{ n: number; key: string; state: 'unknown' | 'partial' } | undefined> {
    const rows = await this.stage.world.database.transaction((sql) =>
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
    const { world } = this.stage;
    while (world.bank.release(effect)) await this.stage.quiet();
    world.bank.works();
    world.rules.mend();
    changeType(this.stage, '1');
    for (const person of ['cleo', 'eva']) this.voices.thaw(person);
    await this.stage.settle();
    for (const action of this.stage.known) {
      await this.untilEnded(action);
      if (!this.isConsumed(action)) await this.decide(action, effect);
      await this.untilEnded(action);
    }
    world.clock.pass(25 * HOUR);
    for (const action of this.stage.known.filter((each) => !this.isConsumed(each))) this.close(action, 'expired');
    await this.stage.settle();
    for (const { id, end, consumed } of this.stage.model.actions.values())
      // A step of a type that was released anew meanwhile waits for its own version.
      if (end === undefined && consumed?.typeVersion !== '2') throw new Error(`${id} never ends`);
  }

  private async untilEnded(action: Known): Promise<void> {
    for (let i = 0; i < 60 && (await this.began(action.id)); i++) {
      this.stage.start(() => this.stage.world.advance({ id: action.id, digest: this.stage.digest(action, 0) }));
      await this.resolve(action, false);
      this.stage.world.clock.pass(SECOND);
      await this.stage.settle();
    }
  }

  /** What was rejected is closed so; else people may still agree. */
  private async decide(action: Known, agree: boolean): Promise<void> {
    this.close(action, 'rejected');
    await this.stage.settle();
    for (let i = 0; i < 3 && agree; i++) {
      for (const what of ['seal_again', 'reseal'] as const) {
        give(this.stage, { do: what, action: this.stage.known.indexOf(action), back: 0 });
        await this.stage.settle();
      }
      this.voices.agree(this.stage.known.indexOf(action), 4);
      await this.stage.settle();
    }
  }
  private close(action: Known, reason: 'rejected' | 'expired'): void {
    give(this.stage, { do: 'close', action: this.stage.known.indexOf(action), reason, show: { which: 'none' } });
  }
  private isConsumed({ id }: Known): boolean {
    return this.stage.model.actions.get(id)?.consumed !== undefined;
  }
  private async began(id: ActionId): Promise<boolean> {
    const rows = await this.stage.world.database.transaction((sql) => sql.all('SELECT state FROM action WHERE id = ?', id));
    const row = rows[0];
    return row !== undefined && ['executing', 'undoing', 'unknown', 'partial'].includes(String(row['state']));
  }
}

/** A new release of every type. */
export function changeType({ model, world }: Stage, version: string): void {
  model.typeVersion = version;
  for (const [name, type] of world.types) world.types.set(name, { ...type, version });
}
