import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { evidenceSchema, type Evidence } from '../src/domain/evidence/schema.js';
import { actionSchema, type ActionResource } from '../src/domain/http.js';
import { canonicalize } from '../src/domain/json.js';

/** What it says in place of the truth. */
export interface Lies {
  readonly ofAction?: (resource: ActionResource) => unknown;
  readonly ofEvidence?: (evidence: Evidence) => Evidence;
}

/** A server in the API's place: passes every question on to the true one, and changes what it says of an action. Returns its address. */
export async function hostileApi(api: string, { ofAction, ofEvidence }: Lies): Promise<string> {
  const lie = (body: unknown): string => {
    const resource = actionSchema.safeParse(body);
    if (ofAction !== undefined && resource.success) return JSON.stringify(ofAction(resource.data));
    const evidence = evidenceSchema.safeParse(body);
    if (ofEvidence !== undefined && evidence.success) return `${canonicalize(ofEvidence(evidence.data))}\n`;
    return JSON.stringify(body);
  };
  const server = createServer((incoming, outgoing) => {
    const authorization = incoming.headers.authorization ?? '';
    void fetch(api + (incoming.url ?? ''), { headers: { authorization } })
      .then(async (response) => {
        const body: unknown = await response.json();
        outgoing.writeHead(response.status, { 'content-type': response.headers.get('content-type') ?? 'application/json' });
        outgoing.end(lie(body));
      })
      .catch(() => outgoing.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
