import { refuse } from '../domain/codes.js';
import { Refused, refused } from '../http/problem.js';

export { answer, problemResponse, Refused, refused } from '../http/problem.js';

/** Also for what exists but is not the reader's: the two must look alike. */
export const notFound = (text = 'there is no such action, or it is not yours'): Refused =>
  new Refused(refuse('request_invalid', text), { status: 404, remedy: 'Check the id and who asks: agents see their own actions only.' });

/** 503. `recorded` says plainly whether Temporal has the message. */
export const temporalAway = (recorded: string): Refused => refused('temporal_unavailable', recorded);
