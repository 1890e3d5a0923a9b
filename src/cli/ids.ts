import { actionListSchema } from '../domain/http.js';
import { actionIdSchema, type ActionId } from '../domain/ids.js';
import { CliError, usage } from './errors.js';
import { EXIT } from './exit.js';
import type { Api } from './http.js';
import { inert } from './text/inert.js';

const PREFIX = /^(?:act_)?[0-9a-hjkmnp-tv-z]{1,26}$/;
const MOST_PAGES = 100;

/** Enough of an id for people; whatever is short must be unique where it is used. */
export const short = (id: string): string => id.slice(0, 8);

/** The one action whose id begins so, among those this author may see. A whole id is taken at its word. */
export async function resolveId(api: Api, text: string): Promise<ActionId> {
  const whole = actionIdSchema.safeParse(text);
  if (whole.success) return whole.data;
  if (!PREFIX.test(text))
    throw usage(`"${inert(text)}" is no action id`, 'An id looks like act_q7m2…; `keyturn inbox` lists those that need you.');
  const prefix = text.startsWith('act_') ? text : `act_${text}`;
  const found = (await listAll(api)).filter((id) => id.startsWith(prefix));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined)
    throw new CliError(
      'no_such_action',
      `no action you may see has an id that begins with ${prefix}`,
      'See `keyturn inbox`, or give the whole id.',
    );
  const remedy = 'Give more characters of the id.';
  throw new CliError('ambiguous_id', `${found.length} actions begin with ${prefix}`, remedy, EXIT.error, found.slice(0, 20));
}

async function listAll(api: Api): Promise<ActionId[]> {
  const ids = new Set<ActionId>();
  let page = '?limit=200';
  for (let i = 0; i < MOST_PAGES; i++) {
    const { actions, next } = await api.get(`/v1/actions${page}`, actionListSchema);
    for (const { id } of actions) ids.add(id);
    if (next === null) return [...ids];
    page = `?limit=200&next=${encodeURIComponent(next)}`;
  }
  throw new CliError('ambiguous_id', `there are more than ${ids.size} actions, so no prefix is sure to be unique`, 'Give the whole id.');
}
