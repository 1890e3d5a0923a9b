import { signedSchema } from '../../domain/dsse.js';
import type { Roster } from '../../domain/roster.js';
import type { Api } from '../api.js';
import { reviewRefused } from '../credentials/reviewer.js';
import { messageOfPerson } from '../messages/of-person.js';
import { sendMessage } from '../messages/send.js';
import { load } from '../resource/load.js';
import { requestOf } from '../resource/resource.js';
import type { Route } from '../route.js';
import { describe, type Described } from '../temporal/describe.js';
import { firstInput } from '../temporal/history.js';
import { startAction } from '../temporal/start.js';

export const review: Route = {
  method: 'post',
  path: '/v1/actions/{id}/reviews',
  summary: 'Takes a signed post-review of what ran by a break-glass rule: justified or not_justified; by one its start names.',
  access: 'signature',
  body: ['Signed'],
  answers: { 200: 'MessageAnswer', 202: 'MessageAnswer', 403: 'Problem', 404: 'Problem', 409: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const { roster, signed, described } = await messageOfPerson(api, c, reviewRefused);
    return sendMessage(api, await reopened(api, described, roster), roster, 'lodge', signed);
  },
};

/** A run that was closed from outside while the ledger still waits for its post-review: started again, it finds that out from the ledger. */
async function reopened(api: Api, described: Described, roster: Roster): Promise<Described> {
  const { id } = described.line;
  if (described.run === 'running') return described;
  const { resource } = await load(api, id, roster);
  if (resource.postReview.state !== 'open') return described;
  const signed = signedSchema.safeParse((await firstInput(api.client, id))?.input);
  const request = signed.success ? requestOf({ id, request: signed.data }) : undefined;
  if (!signed.success || request === undefined) return described;
  await startAction(api.client, { id, request, signed: signed.data, again: true });
  return (await describe(api.client, id)) ?? described;
}
