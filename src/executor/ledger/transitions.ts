import { reviewTransitions } from './review-transitions.js';
import { stepTransitions } from './step-transitions.js';
import { undoTransitions } from './undo-transitions.js';

/**
 * Every way the ledger moves. Each is one compare-and-set (`UPDATE … WHERE state = expected`) and its entry, inside the caller's transaction;
 * `Moved` says that somebody else moved first, and then the whole transaction is undone. Times in ms.
 */
export const transitions = { ...reviewTransitions, ...stepTransitions, ...undoTransitions } as const;
export type Transition = keyof typeof transitions;
