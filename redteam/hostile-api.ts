import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { actionSchema, type ActionResource } from '../src/domain/http.js';

/** A server in the API's place: passes every question on to the true one, and changes what it says of an action. Returns its address. */
export async function hostileApi(api: string, lie: (resource: ActionResource) => unknown): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const authorization = incoming.headers.authorization ?? '';
    void fetch(api + (incoming.url ?? ''), { headers: { authorization } })
      .then(async (response) => {
        const body: unknown = await response.json();
        const resource = actionSchema.safeParse(body);
        outgoing.writeHead(response.status, { 'content-type': response.headers.get('content-type') ?? 'application/json' });
        outgoing.end(JSON.stringify(resource.success ? lie(resource.data) : body));
      })
      .catch(() => outgoing.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
