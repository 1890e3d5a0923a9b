import { z } from 'zod';
import { visible } from '../../domain/view/visible.js';

/**
 * On top of `visible`, what only a terminal can be fooled with: runs of spaces that push text out of sight, and piles of combining marks.
 * Written as marks in guillemets, which `visible` leaves in no text, so that no text can fake one.
 */
export const spaced = (shown: string): string =>
  shown.replace(/ {2,}/g, (run) => `‹${run.length} spaces›`).replace(/\p{M}{4,}/gu, (run) => `‹${[...run].length} combining marks›`);

/** Text that no view has made visible yet: an API's words, a reviewer's reason. Not for text that is visible already: it would be marked twice. */
export const inert = (raw: string): string => spaced(visible(raw));

/** What does not fit a schema, in one line. */
export const issuesOf = (error: z.ZodError): string => inert(z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' '));
