import { createInterface } from 'node:readline';
import { z } from 'zod';
import { factsSchema, holdsSchema } from './attack.js';
import { Hands } from './hands.js';
import { ATTACKS } from './list.js';

/**
 * One attacker: a process that is handed one line with its credentials and what everybody knows, strikes, and says in one line what it saw. It ends when
 * its input does.
 */
const lines = createInterface({ input: process.stdin });
const inputSchema = z.strictObject({ holds: holdsSchema, facts: factsSchema });
const line = await new Promise<string>((read) => lines.once('line', read));
const ended = new Promise<void>((done) => lines.once('close', done));
const attack = ATTACKS.find(({ id }) => id === process.argv[2]);
if (attack === undefined) throw new Error(`there is no attack ${process.argv[2] ?? ''}`);
const { holds, facts } = inputSchema.parse(JSON.parse(line));
const hands = new Hands(holds);
const seen = await attack.strike(hands, facts).catch((error: unknown) => `${error instanceof Error ? error.message : String(error)}`);
process.stdout.write(`${JSON.stringify({ seen })}\n`);
await ended;
process.exit(0);
