import { damaged, request } from '../../helpers/messages.js';
import { PEOPLE } from '../../helpers/rules-fixture.js';
import { signerOf } from '../../helpers/signers.js';
import type { Command } from './commands.js';
import { changeType, Ending } from './ending.js';
import type { NaiveModel } from './naive-model.js';
import { give } from './orders.js';
import { POLICIES, ROSTERS } from './settings.js';
import { Stage } from './stage.js';
import { Voices } from './voices.js';

const TYPES = ['payments.transfer', 'payments.batch', 'payments.by-hand'] as const;

/** Carries out commands against one executor and its fake bank, and lets the model look after each. */
export class Coordinator {
  private readonly voices: Voices;
  private readonly ending: Ending;

  private constructor(private readonly stage: Stage) {
    this.voices = new Voices(stage);
    this.ending = new Ending(stage, this.voices);
  }
  static async open(): Promise<Coordinator> {
    return new Coordinator(await Stage.open());
  }
  get model(): NaiveModel {
    return this.stage.model;
  }

  async run(command: Command): Promise<void> {
    await this.carryOut(command);
    await this.stage.settle();
  }

  /** The honest end of a run; `effect`: whether calls that still hang take effect at last. */
  async finish(effect: boolean): Promise<void> {
    await this.ending.finish(effect);
    await this.stage.world.database.close();
  }

  private async carryOut(command: Command): Promise<void> {
    const { stage, voices } = this;
    const { world, model } = stage;
    switch (command.do) {
      case 'propose':
        return this.propose(command);
      case 'say':
        return voices.say(command);
      case 'object':
        return voices.object(command);
      case 'edit':
        return voices.edit(command.action, command.person);
      case 'race':
        return voices.race(command);
      case 'agree':
        return voices.agree(command.action, command.people);
      case 'twice':
        for (const order of command.orders) give(stage, order);
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
        return changeType(stage, model.typeVersion === '1' ? '2' : '1');
      case 'crash':
        return world.restart();
      case 'bank':
        return world.bank.plan(command);
      case 'release':
        return void world.bank.release(command.effect);
      case 'freeze':
        return voices.freeze(command.person);
      case 'thaw':
        return voices.thaw(PEOPLE[command.person] ?? 'ana');
      case 'cancel':
        return voices.cancel(command.action, command.honest);
      case 'resolve':
        return this.ending.resolve(stage.at(command.action), command.lie);
      default:
        return give(stage, command);
    }
  }

  private propose({ type, key, by }: Extract<Command, { do: 'propose' }>): void {
    const { world, known } = this.stage;
    const params = { vendor: 'ACME', cents: 100 + key };
    const signer = by === 'stranger' ? { by: signerOf('stranger') } : {};
    const { id, signed } = request({ type: TYPES[type % 3] ?? TYPES[0], idempotencyKey: `key ${key}`, params, ...signer });
    if (by === 'agent' && known.every((each) => each.id !== id)) known.push({ id, request: signed, revisions: [], messages: [] });
    this.stage.startSeal(id, () => world.seal(id, by === 'damaged' ? damaged(signed) : signed));
  }
}
