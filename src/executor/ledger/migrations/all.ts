import type { Migration } from '../migrate.js';
import { first } from './001-first.js';
import { charges } from './002-charges.js';

/**
 * Every step a ledger has taken, in order: the n-th makes schema n from schema n - 1, and a new ledger takes them all. To change the schema, add a file
 * and its line at the end. What was released is never changed, moved or taken out: somebody's ledger has taken it.
 */
export const MIGRATIONS: readonly Migration[] = [first, charges];
