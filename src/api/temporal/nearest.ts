import type { Client } from '@temporalio/client';
import type { ActionLine } from '../../domain/http.js';
import { toMs } from '../../domain/instant.js';
import { attributes } from '../../temporal/attributes.js';
import { refused } from '../problem.js';
import { cut, FIRST, LAST, type Few } from './cut.js';
import { countActions, listActions, type Condition, type Page } from './list.js';
import type { Windows } from './windows.js';

/** So many lines a page of ours, read from windows that hold little more: each row costs the server and us. */
const FEW: Few = { least: 50, most: 150 };
const READ = 1_000;
/** What a flood of lines that are none may cost a reader before he is told. */
const MAX_ASKED = 100;
/** So many remembered windows are tried: each that fails costs a page. */
const MAX_TRIED = 3;
/** Later than every time there is: where lines without a deadline stand. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** A place in the order by deadline (ms), then id. */
export interface Place {
  readonly at: number;
  readonly id: string;
}
const placeOf = ({ deadline, id }: ActionLine): Place => ({ at: deadline === null ? NEVER : toMs(deadline), id });
const order = (a: Place, b: Place): number => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** Whether there can be a line there: a time as visibility writes it, or none. */
export const isPlace = ({ at }: Place): boolean => Number.isSafeInteger(at) && ((at > FIRST && at <= LAST) || at === NEVER);

/**
 * The next lines after a place, nearest deadline first, none left out. SQL visibility sorts by start alone, so what is near is found by counting: a window
 * of deadlines that holds a page, which is then read whole. Refuses to pass over some in silence. Throws `temporal_unavailable`. `windows`: of earlier
 * calls.
 */
export async function nearest(
  client: Client,
  windows: Windows,
  conditions: readonly Condition[],
  after: Place | undefined,
): Promise<{ readonly lines: readonly ActionLine[]; readonly next: Place | undefined }> {
  const found: ActionLine[] = [];
  let asked = 0;
  const tire = (): void => {
    if (++asked > MAX_ASKED) throw refused('rate_limited', 'too many actions to sort: use GET /v1/actions with filters');
  };
  const read = async (span: Condition | undefined, size: number, token?: Uint8Array): Promise<Page> => {
    tire();
    return listActions(client, span === undefined ? conditions : [...conditions, span], size, token);
  };
  const keep = (lines: readonly ActionLine[]): void =>
    void found.push(...lines.filter((line) => after === undefined || order(placeOf(line), after) > 0));
  const whole = async (span: Condition): Promise<void> => {
    for (let token: Uint8Array | undefined, first = true; first || token !== undefined; first = false) {
      const page = await read(span, READ, token);
      keep(page.lines);
      token = page.next;
    }
  };
  const answered = (isAll: boolean): Awaited<ReturnType<typeof nearest>> => {
    const sorted = found.map((line) => ({ line, place: placeOf(line) })).sort((a, b) => order(a.place, b.place));
    const page = sorted.slice(0, FEW.least);
    return { lines: page.map(({ line }) => line), next: isAll && page.length === sorted.length ? undefined : page.at(-1)?.place };
  };

  const { name } = attributes.deadline;
  const list = JSON.stringify(conditions);
  let from = after?.at;
  for (const to of from === NEVER ? [] : windows.after(list, from).slice(0, MAX_TRIED)) {
    const { lines, next } = await read({ name, from, to }, FEW.most);
    if (next !== undefined) break;
    keep(lines);
    if (found.length >= FEW.least) return answered(false);
    found.length = 0;
  }
  while (from !== NEVER && found.length < FEW.least) {
    const rest = from === undefined ? undefined : ({ name, from, orNone: true } as const);
    const some = await read(rest, FEW.most);
    if (some.next === undefined) {
      keep(some.lines);
      return answered(true);
    }
    const start: number | undefined = from;
    const count = (to: number): Promise<number> => {
      tire();
      return countActions(client, [...conditions, { name, from: start, to }]);
    };
    const hints = some.lines.map((line) => placeOf(line).at).filter((at) => at !== NEVER);
    const to = await cut(count, start, hints, FEW, Date.now());
    await whole({ name, from: start, to });
    if (to !== undefined) windows.remember(list, to);
    from = to ?? NEVER;
  }
  if (found.length >= FEW.least) return answered(false);
  await whole({ name, none: true });
  return answered(true);
}
