import type { Roster } from '../../domain/roster.js';
import { isPortFree } from '../../temporal/free-port.js';

export interface DevDoor {
  /** For `KEYTURN_DOOR` of the executor that `dev` starts; undefined: it opens none, or where its environment says. */
  readonly at?: string;
  /** Said when the roster names a door on this machine and it is not opened. */
  readonly notice?: string;
}

/** Where the roster says that the executor's own door is, if that is on this machine: so that the brake can be tried where everything else is. */
export async function devDoor({ executors }: Roster, given: string | undefined): Promise<DevDoor> {
  if (given !== undefined && given !== '') return {};
  const here = [...executors.values()].flatMap(({ door }) => {
    const [, host, port = '80'] = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(?::([0-9]+))?$/.exec(door ?? '') ?? [];
    return host === undefined ? [] : [{ at: `${host}:${port}`, port: Number(port) }];
  });
  const [door] = here;
  if (door === undefined) return {};
  // Which of them the command starts, only the command knows: at another's door it would answer for nobody.
  if (executors.size > 1) return { notice: 'roster.yaml has several executors: set KEYTURN_DOOR to the address of the one you start here' };
  if (await isPortFree(door.port)) return { at: door.at };
  return { notice: `${door.at} is taken: no door is opened. Write another free port in roster.yaml, or end what listens there` };
}
