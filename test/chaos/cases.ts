import type { EndStatus } from '../../src/domain/outcome.js';
import type { Transition } from '../../src/executor/ledger/transitions.js';
import type { ResolveVerdict } from '../../src/domain/saga.js';
import { approve, cancel, modify, reject, resolve, review } from '../helpers/messages.js';
import type { Scene } from './scene.js';
import type { TypeName } from './types.js';

/** How an action comes to take a transition, and how it must end, whoever is killed meanwhile. */
export interface Case {
  readonly type: TypeName;
  readonly ends: EndStatus;
  readonly play: (scene: Scene) => Promise<void>;
}
const at = () => ({ at: Date.now() });

async function vote(scene: Scene, revision = 1): Promise<void> {
  const sealed = await scene.sealed(revision);
  for (const person of ['ben', 'cleo']) await scene.send('decision', approve(person, sealed, at()));
}
async function agreed(scene: Scene): Promise<void> {
  await scene.propose();
  await vote(scene);
}
/** Nobody may pay into the account: a sure "no" of the bank, and only when it is paid. */
async function refusedByTheBank(scene: Scene): Promise<void> {
  await scene.stage.admin.setClosed(scene.iban, true);
  await agreed(scene);
}
/** Somebody else pays into the account, so that it is no longer as people saw it. */
const otherPayment = (scene: Scene, n: number) =>
  scene.stage.bank.pay({ vendor: 'Somebody else', iban: scene.iban, cents: 1 }, `other/${scene.iban}/${n}`);

async function resolved(scene: Scene, step: number, verdict: ResolveVerdict): Promise<void> {
  for (const person of ['cleo', 'eva']) await scene.send('lodge', resolve(person, scene.id, step, verdict, at()));
}
async function lostAndFound(scene: Scene): Promise<void> {
  await agreed(scene);
  await scene.status('outcome_unknown');
  await resolved(scene, 1, 'happened');
}

async function reviewed(scene: Scene): Promise<void> {
  await scene.propose();
  const sealed = await scene.sealed(1);
  for (const person of ['ben', 'cleo']) await scene.send('decision', approve(person, sealed, { ...at(), reason: 'It cannot wait.' }));
  await scene.status('succeeded');
  await scene.send('lodge', review('eva', scene.id, at()));
}

/** A case for every transition of the ledger: one added without a case does not compile. */
export const CASES: Readonly<Record<Transition, Case>> = {
  open: { type: 'transfer', ends: 'succeeded', play: agreed },
  revise: {
    type: 'transfer',
    ends: 'succeeded',
    play: async (scene) => {
      await scene.propose();
      await scene.send('decision', modify('ana', await scene.sealed(1), { '/cents': 100 }, at()));
      await vote(scene, 2);
    },
  },
  deny: { type: 'forbidden', ends: 'denied', play: (scene) => scene.propose() },
  denyStale: {
    type: 'precise',
    ends: 'denied',
    play: async (scene) => {
      await scene.propose();
      for (let revision = 1; revision <= 4; revision++) {
        await scene.sealed(revision);
        await otherPayment(scene, revision);
        await vote(scene, revision);
      }
    },
  },
  stale: {
    type: 'precise',
    ends: 'succeeded',
    play: async (scene) => {
      await scene.propose();
      await scene.sealed(1);
      await otherPayment(scene, 1);
      await vote(scene, 1);
      await vote(scene, 2);
    },
  },
  close: { type: 'hasty', ends: 'expired', play: (scene) => scene.propose() },
  tombstone: {
    type: 'transfer',
    ends: 'cancelled',
    play: async (scene) => {
      await scene.order('close', { reason: 'cancelled', decisions: [] });
      await scene.propose();
    },
  },
  lodge: {
    type: 'transfer',
    ends: 'rejected',
    play: async (scene) => {
      await scene.propose();
      await scene.send('decision', reject('ana', await scene.sealed(1), at()));
    },
  },
  stopUnsigned: {
    type: 'slow',
    ends: 'compensated',
    play: async (scene) => {
      await agreed(scene);
      await scene.untilEffects(1);
      await scene.cancelInTemporal();
    },
  },
  lodgeReview: { type: 'glass', ends: 'succeeded', play: reviewed },
  reviewed: { type: 'glass', ends: 'succeeded', play: reviewed },
  lodgeResolve: { type: 'blind', ends: 'succeeded', play: lostAndFound },

  consume: { type: 'transfer', ends: 'succeeded', play: agreed },
  startStep: { type: 'pair', ends: 'succeeded', play: agreed },
  retryStep: { type: 'busy', ends: 'succeeded', play: agreed },
  takeOver: { type: 'lost', ends: 'succeeded', play: agreed },
  release: { type: 'lost', ends: 'succeeded', play: agreed },
  stepDone: { type: 'transfer', ends: 'succeeded', play: agreed },
  stepNotStarted: { type: 'busy', ends: 'succeeded', play: agreed },
  stepFailed: { type: 'transfer', ends: 'failed', play: refusedByTheBank },
  stepUnknown: { type: 'blind', ends: 'succeeded', play: lostAndFound },
  succeed: { type: 'blind', ends: 'succeeded', play: lostAndFound },

  turnBack: {
    type: 'slow',
    ends: 'compensated',
    play: async (scene) => {
      await agreed(scene);
      await scene.untilEffects(1);
      await scene.send('lodge', cancel(scene.id, at()));
    },
  },
  startUndo: { type: 'pair', ends: 'compensated', play: refusedByTheBank },
  undoAgain: { type: 'forgetful', ends: 'compensated', play: refusedByTheBank },
  undoDone: { type: 'pair', ends: 'compensated', play: refusedByTheBank },
  undoLost: {
    type: 'by-hand',
    ends: 'compensated',
    play: async (scene) => {
      await refusedByTheBank(scene);
      await scene.status('compensation_failed');
      const [reservation] = await scene.effects();
      if (reservation === undefined) throw new Error('nothing was reserved');
      await scene.stage.bank.release(reservation.key, `by hand/${scene.id}`);
      await resolved(scene, 1, 'undone_by_hand');
    },
  },
  finishUndo: { type: 'pair', ends: 'compensated', play: refusedByTheBank },
  resolve: {
    type: 'silent',
    ends: 'failed',
    play: async (scene) => {
      await agreed(scene);
      await scene.status('outcome_unknown');
      await resolved(scene, 1, 'did_not');
    },
  },
};
