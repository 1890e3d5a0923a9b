import type { Book } from './book.js';
import { entryToUndo, once, type Answer } from './once.js';
import { Refusal } from './refusal.js';
import type { Entry, Settlement, Transfer, Undo } from './wire.js';

/** Reserves money for an account. A closed one shows only when it is settled, as between banks. */
export function reserve(book: Book, key: string, request: Transfer): Answer {
  return once(book, key, 'reservation', request, () => {
    const { id, vendor, iban, cents, at, state } = book.entries.add('reservation', request, key);
    return { status: 201, body: { id, vendor, iban, cents, at, state }, entry: id };
  });
}

/** Pays out a reservation, once. */
export function settle(book: Book, key: string, request: Settlement): Answer {
  return once(book, key, 'settlement', request, () => {
    const { id, vendor, iban, cents, at, state } = reservationOf(book, request);
    if (book.accounts.isClosed(iban)) throw new Refusal(422, 'account_closed', `${iban} is closed`);
    if (state !== 'reserved') throw new Refusal(422, 'not_reserved', `${id} is ${state}`);
    book.entries.setState(id, 'settled');
    return { status: 200, body: { id, vendor, iban, cents, at, state: 'settled' }, entry: id };
  });
}

/**
 * Releases what the undone key reserved, and takes it back if it was settled meanwhile; if it never reserved, it never will.
 * The key of the settlement may be named as well: undoing that step ends in the same state.
 */
export function release(book: Book, key: string, request: Undo): Answer {
  return once(book, key, 'release', request, () => {
    const id = entryToUndo(book, key, request.undoes, ['reservation', 'settlement']);
    if (id === undefined) return { status: 200, body: { released: false }, entry: null };
    book.entries.setState(id, 'released');
    return { status: 200, body: { released: true, id }, entry: id };
  });
}

function reservationOf(book: Book, request: Settlement): Entry {
  const { reservation, reservationKey } = request;
  const id = reservation ?? (reservationKey === undefined ? undefined : book.keys.find(reservationKey)?.entry);
  const entry = typeof id === 'string' ? book.entries.find(id) : undefined;
  if (entry?.kind !== 'reservation' || (reservationKey !== undefined && entry.key !== reservationKey)) {
    throw new Refusal(422, 'no_reservation', 'there is no such reservation');
  }
  const { iban, vendor = entry.vendor, cents = entry.cents } = request;
  if (iban !== entry.iban || vendor !== entry.vendor || cents !== entry.cents) {
    throw new Refusal(422, 'reservation_differs', `${entry.id} is for another account, vendor or amount`);
  }
  return entry;
}
