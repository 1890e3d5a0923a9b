import { join } from 'node:path';
import { secretOf } from '../../files/secrets.js';
import type { Session } from '../session.js';

/** The ledger a command means: as named, else as the executor would find it. A path or a postgres:// address. */
export const ledgerOf = (session: Session, root: string, given: string | undefined): string =>
  given ?? secretOf('KEYTURN_LEDGER', session.env)?.text ?? join(root, '.keyturn', 'ledger.db');
