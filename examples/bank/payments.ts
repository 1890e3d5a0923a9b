import type { Book } from './book.js';
import { entryToUndo, once, type Answer } from './once.js';
import { Refusal } from './refusal.js';
import type { Transfer, Undo } from './wire.js';

/** Pays once per key. */
export function pay(book: Book, key: string, request: Transfer): Answer {
  return once(book, key, 'payment', request, () => {
    if (book.accounts.isClosed(request.iban)) throw new Refusal(422, 'account_closed', `${request.iban} is closed`);
    const { id, vendor, iban, cents, at } = book.entries.add('payment', request, key);
    return { status: 201, body: { id, vendor, iban, cents, at }, entry: id };
  });
}

/** Refunds what the undone key paid, once whoever asks; if it never paid, it never will. */
export function refund(book: Book, key: string, request: Undo): Answer {
  return once(book, key, 'refund', request, () => {
    const id = entryToUndo(book, key, request.undoes, ['payment']);
    if (id === undefined) return { status: 200, body: { refunded: false }, entry: null };
    book.entries.setState(id, 'refunded');
    return { status: 200, body: { refunded: true, id }, entry: id };
  });
}
