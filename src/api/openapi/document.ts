import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { Variables } from '../api.js';
import type { Route } from '../route.js';
import { componentSchemas, isComponent } from './components.js';

type Documented = Parameters<OpenAPIHono<Variables>['openAPIRegistry']['registerPath']>[0];

const INTRO =
  'Requests, decisions, cancels, resolves, reviews, freezes and thaws are signed objects (DSSE): the schema Signed, whose payload is base64url of one of Request, Decision, Cancel, Resolve, Review, Freeze, Thaw. They need no login. Reads carry `Authorization: Keyturn <base64url of a Signed Read>`, good for 60 s, one method and one path, or `Bearer` for agents with a bearer key. Errors are RFC 9457 problems with a stable code.';

const ref = (name: string): { $ref: string } => ({ $ref: `#/components/schemas/${name}` });

/** What the document says of a route. */
export function documented({ method, path, summary, access, body, query, answers }: Route): Documented {
  const params = [...path.matchAll(/\{(\w+)\}/g)].flatMap(({ 1: name }) => (name === undefined ? [] : [[name, z.string()] as const]));
  return {
    method,
    path,
    summary,
    ...(access === 'reader' ? { security: [{ Keyturn: [] }, { Bearer: [] }] } : {}),
    request: {
      ...(params.length === 0 ? {} : { params: z.object(Object.fromEntries(params)) }),
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body: { required: true, content: { 'application/json': { schema: { oneOf: body.map(ref) } } } } }),
    },
    responses: Object.fromEntries(
      Object.entries({ ...beforeTheHandler(query, body), ...(access === 'open' ? {} : { 429: 'Problem' }), ...answers }).map(
        ([status, what]) => [status, response(what)],
      ),
    ),
  };
}

/** What a request is answered with before its handler looks at it: by the HTTP server, or by the strict readers of query and body. */
function beforeTheHandler(query: unknown, body: unknown): Record<number, string> {
  const answers: Record<number, string> = { 431: 'The address or the headers are too long to be read; no body.' };
  if (query !== undefined || body !== undefined) answers[400] = 'Problem';
  if (body !== undefined) answers[413] = 'Problem';
  return answers;
}

function response(what: string): Documented['responses'][string] {
  if (!isComponent(what)) return { description: what };
  const type = what === 'Problem' ? 'application/problem+json' : 'application/json';
  return { description: what, content: { [type]: { schema: ref(what) } } };
}

/** OpenAPI 3.1 of every route registered so far. */
export function openApiDocument(app: OpenAPIHono<Variables>): object {
  for (const [name, schema] of Object.entries(componentSchemas())) app.openAPIRegistry.registerComponent('schemas', name, schema);
  app.openAPIRegistry.registerComponent('securitySchemes', 'Keyturn', { type: 'apiKey', in: 'header', name: 'Authorization' });
  app.openAPIRegistry.registerComponent('securitySchemes', 'Bearer', { type: 'http', scheme: 'bearer' });
  return app.getOpenAPI31Document({ openapi: '3.1.0', info: { title: 'Keyturn', version: '1', description: INTRO } });
}
