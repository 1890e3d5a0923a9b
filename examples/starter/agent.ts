// agent.ts
import { Keyturn } from 'keyturn/client';

const keyturn = new Keyturn(); // KEYTURN_URL, KEYTURN_AGENT_KEY
const action = await keyturn.propose(
  'payments.transfer',
  { vendor: 'ACME GmbH', iban: 'DE89370400440532013000', cents: 480_000 },
  { reason: 'Invoice 2291, due Friday', idempotencyKey: 'invoice-2291' }, // same key = same action, for ever
);
console.log(action.status, action.id);
const outcome = await keyturn.wait(action.id); // hours or days; after a crash run this file again
if (outcome.effect === 'done') console.log('paid', outcome.result);
else console.log(`${outcome.status}: ${outcome.reason.text}`); // e.g. rejected: paid in October
