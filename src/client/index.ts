/** `keyturn/client`: what a program that proposes actions imports. Only `fetch` and node:crypto; no other package is loaded. */
export type { Action } from './action.js';
export { KeyturnError } from './errors.js';
export { Keyturn, type ProposeOptions, type WaitOptions } from './keyturn.js';
export type { KeyturnOptions } from './settings.js';
