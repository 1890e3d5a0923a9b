import type { Route } from '../route.js';
import { actionTypes } from './action-types.js';
import { answerQuestion } from './answers.js';
import { list, show } from './actions.js';
import { decide, fate } from './decisions.js';
import { events } from './events.js';
import { evidence } from './evidence.js';
import { freeze, thaw } from './freezes.js';
import { inbox } from './inbox.js';
import { evaluatePolicy, policy } from './policy.js';
import { propose } from './proposals.js';
import { review } from './reviews.js';
import { cancel, resolve } from './stops.js';
import { healthz, metrics, readyz } from './system.js';

/** Every door of the API, in the order of design §10. */
export const ROUTES: readonly Route[] = [
  propose,
  list,
  show,
  cancel,
  answerQuestion,
  inbox,
  decide,
  fate,
  events,
  evidence,
  resolve,
  review,
  actionTypes,
  policy,
  evaluatePolicy,
  freeze,
  thaw,
  healthz,
  readyz,
  metrics,
];
