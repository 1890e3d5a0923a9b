import { z } from 'zod';
import type { Book } from './book.js';
import type { Operation } from './keys.js';
import { Refusal } from './refusal.js';
import type { Found } from './wire.js';

export interface Answer {
  readonly status: 200 | 201;
  readonly body: object;
}

/** An effect inside the transaction: the answer, and the entry that it made or changed. */
export interface Effect extends Answer {
  readonly entry: string | null;
}

/**
 * Takes effect once per key. The same key with the same request gives the first answer again; with another request, or after a fence, a
 * refusal. A refused effect does not use up its key.
 */
export function once(book: Book, key: string, operation: Operation, request: object, effect: () => Effect): Answer {
  const requestText = JSON.stringify(request);
  return book.atomically(() => {
    const used = book.keys.find(key);
    if (used?.operation === 'fence') throw new Refusal(409, 'key_fenced', 'this key was made unusable before anything happened under it');
    if (used !== undefined) {
      if (used.operation === operation && used.request === requestText) return { status: 200, body: JSON.parse(used.answer) as object };
      throw new Refusal(409, 'key_reused', `this key was used for another ${used.operation === operation ? 'request' : 'operation'}`);
    }
    const { status, body, entry } = effect();
    book.keys.record(key, { operation, request: requestText, answer: JSON.stringify(body), entry });
    return { status, body };
  });
}

/** Whether the key has taken effect; if not, it never will: one transaction answers and fences. */
export function lookupOrFence(book: Book, key: string): Found {
  return book.atomically(() => {
    const used = book.keys.find(key);
    if (used !== undefined && used.operation !== 'fence') return { done: true, result: z.json().parse(JSON.parse(used.answer)) };
    if (used === undefined) book.keys.fence(key);
    return { done: false, fenced: true };
  });
}

/** The entry that the undone key made, for `undoes`; a key never used is fenced, so that it cannot take effect after its undo. */
export function entryToUndo(book: Book, key: string, undoes: string, undoable: readonly Operation[]): string | undefined {
  if (key === undoes) throw new Refusal(422, 'same_key', 'an undo needs a key of its own');
  const used = book.keys.find(undoes);
  if (used === undefined) book.keys.fence(undoes);
  if (used === undefined || used.operation === 'fence') return undefined;
  if (used.entry === null || !undoable.some((operation) => operation === used.operation)) {
    throw new Refusal(422, 'not_undoable', `the undone key was used for a ${used.operation}`);
  }
  return used.entry;
}
