import type { ActionId } from '../../domain/ids.js';
import type { Roster } from '../../domain/roster.js';
import type { Api, Call } from '../api.js';
import { mustSee, nameOf, readerOf } from '../credentials/reader.js';
import { answer, temporalAway } from '../problem.js';
import { eventsOf } from '../resource/events.js';
import { load, type Loaded } from '../resource/load.js';
import type { Route } from '../route.js';
import { pause } from '../temporal/waits.js';
import { idOf } from '../action-id.js';

const POLL_MS = 1_000;
const KEEP_ALIVE_MS = 15_000;
/** Then the reader connects again, with a fresh signature and `Last-Event-ID`. */
const STREAM_MS = 10 * 60_000;

export const events: Route = {
  method: 'get',
  path: '/v1/actions/{id}/events',
  summary: 'What happened, oldest first, as JSON; with Accept: text/event-stream as it happens, until the end.',
  access: 'reader',
  answers: { 200: 'ActionEvents', 401: 'Problem', 404: 'Problem', 503: 'Problem' },
  handle: async (api, c) => {
    const roster = await api.roster();
    const reader = readerOf(c, roster, Date.now());
    const id = idOf(c);
    const loaded = await load(api, id, roster);
    mustSee(reader, loaded.described.line.agent);
    if ((c.req.header('accept') ?? '').includes('text/event-stream')) {
      api.waits.mustHaveRoom(nameOf(reader));
      return stream(api, c, { id, roster, first: loaded, who: nameOf(reader) });
    }
    if (loaded.snapshot === undefined) throw temporalAway('No workflow worker answers, so its events cannot be read.');
    return answer(200, { id, events: eventsOf(loaded.snapshot, loaded.resource.type, roster) });
  },
};

interface Watched {
  readonly id: ActionId;
  readonly roster: Roster;
  readonly first: Loaded;
  readonly who: string;
}

function stream(api: Api, c: Call, { id, roster, first, who }: Watched): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const send = (text: string): Promise<void> => writer.write(Buffer.from(text));
  const feed = api.waits.run(who, c.req.raw.signal, async (signal) => {
    const seen = new Set<string>();
    const end = Date.now() + STREAM_MS;
    let loaded = first;
    let past = c.req.header('last-event-id');
    let spoke = Date.now();
    for (;;) {
      const all = loaded.snapshot === undefined ? [] : eventsOf(loaded.snapshot, loaded.resource.type, roster);
      // What the reader has already: everything up to the event it names, if that one is still known.
      const from = past === undefined ? 0 : all.findIndex((event) => event.id === past) + 1;
      for (const event of all.slice(0, from)) seen.add(event.id);
      if (loaded.snapshot !== undefined) past = undefined;
      for (const event of all) {
        if (seen.has(event.id)) continue;
        seen.add(event.id);
        spoke = Date.now();
        await send(`id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
      }
      if (loaded.resource.outcome.final) return send(`event: end\ndata: ${JSON.stringify(loaded.resource.outcome)}\n\n`);
      if (signal.aborted || Date.now() > end) return;
      if (Date.now() - spoke > KEEP_ALIVE_MS) {
        spoke = Date.now();
        await send(': still here\n\n');
      }
      await pause(POLL_MS, signal);
      loaded = await load(api, id, roster).catch(() => loaded);
    }
  });
  feed
    .catch((error: unknown) => api.log.warn({ id, error: String(error) }, 'an event stream ended early'))
    .finally(() => {
      writer.close().catch(() => undefined);
    });
  return new Response(readable, { headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } });
}
