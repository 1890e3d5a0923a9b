import { actionIdSchema, type ActionId } from '../domain/ids.js';
import type { Call } from './api.js';
import { notFound } from './problem.js';

/** The id in the path; anything else there is an action that does not exist. */
export function idOf(c: Call): ActionId {
  const id = actionIdSchema.safeParse(c.req.param('id'));
  if (!id.success) throw notFound();
  return id.data;
}
