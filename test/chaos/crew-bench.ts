import { parseArgs } from 'node:util';
import { playCrew } from './crew.js';

/** `npm run bench:crew`: what `crew.test.ts` plays, in any size. Prints one JSON object and a line; exits 1 on a shortfall. */
const { values } = parseArgs({
  options: {
    executors: { type: 'string', default: '3' },
    actions: { type: 'string', default: '120' },
    kills: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '20' },
  },
});
setTimeout(
  () => {
    console.log(`bench:crew: SHORT: not done in ${values.minutes} minutes`);
    process.exit(1);
  },
  Number(values.minutes) * 60_000,
).unref();
const [members, actions, kills] = [Number(values.executors), Number(values.actions), Number(values.kills)];
const began = performance.now();
const report = await playCrew({ members, actions, atOnce: 12, kills, everyMs: 3_000 });
const seconds = Math.round((performance.now() - began) / 1_000);
const idle = report.answeredBy.filter((answered) => answered === 0).length;
const short = [
  ...report.wrong,
  ...(report.actions === actions ? [] : [`${report.actions} of ${actions} actions`]),
  ...(idle === 0 ? [] : [`${idle} of ${members} executors did nothing`]),
];
console.log(JSON.stringify({ ok: short.length === 0, seconds, ...report }, null, 2));
console.log(
  short.length > 0
    ? `bench:crew: SHORT: ${short.join('; ')}`
    : `bench:crew: ok: ${members} executors on one PostgreSQL ledger, ${report.kills} times killed: ${report.actions} actions, each effect once, ` +
        `activities shared ${report.answeredBy.join(' / ')}`,
);
process.exit(short.length === 0 ? 0 : 1);
