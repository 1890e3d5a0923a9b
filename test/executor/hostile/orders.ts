import type { Signed } from '../../../src/domain/dsse.js';
import type { Order, Show } from './commands.js';
import { safeDigest, type Known, type Stage } from './stage.js';

/** Calls the five activities as ordered, whatever sense that makes. */
export function give(stage: Stage, order: Order): void {
  const action = stage.at(order.action);
  if (action === undefined) return;
  const { id } = action;
  const { world } = stage;
  switch (order.do) {
    case 'advance': {
      const digest = stage.digest(action, order.back);
      const shown = shownOf(stage, action, order.show);
      return stage.start(() => world.advance({ id, digest }, shown, order.stop ? { stop: true } : {}));
    }
    case 'lodge': {
      const message = action.messages[order.message % Math.max(1, action.messages.length)];
      return message === undefined ? undefined : lodge(stage, action, message);
    }
    case 'close': {
      const shown = shownOf(stage, action, order.show);
      return stage.start(() => world.close(id, order.reason, shown));
    }
    case 'modify': {
      const message = action.messages[order.message % Math.max(1, action.messages.length)];
      return message === undefined ? undefined : stage.startSeal(id, () => world.modify(id, message));
    }
    case 'reseal':
      return stage.startSeal(id, () => world.reseal(id, stage.digest(action, order.back)));
    case 'seal_again':
      return stage.startSeal(id, () => world.seal(id, action.request));
  }
}

/** Puts a message on record. The model is told: an honest "no" that arrived must be there afterwards. */
export function lodge(stage: Stage, { id }: Known, message: Signed): void {
  const { model, world } = stage;
  model.delivered.push({ id, digest: safeDigest(message), seals: model.actions.get(id)?.seals.length ?? 0, now: world.clock.ms });
  stage.start(() => world.lodge(id, message));
}

function shownOf(stage: Stage, { id, messages }: Known, show: Show): Signed[] {
  const chosen = messages.filter((message, i) => {
    const verdict = stage.model.said.get(safeDigest(message))?.verdict;
    return show.which === 'some'
      ? (show.mask >> (i % 8)) % 2 === 1
      : show.which === 'approvals'
        ? verdict === 'approve'
        : show.which !== 'none';
  });
  const seen = stage.model.shown.get(id) ?? new Set();
  for (const message of chosen) seen.add(safeDigest(message));
  stage.model.shown.set(id, seen);
  const newest = chosen.slice(-140);
  return show.which === 'doubled' ? [...newest, ...newest] : newest;
}
