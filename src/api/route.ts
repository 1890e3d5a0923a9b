import type { OpenAPIHono } from '@hono/zod-openapi';
import type { z } from 'zod';
import type { Api, Call, Variables } from './api.js';
import type { Component } from './openapi/components.js';
import { documented } from './openapi/document.js';
import { refused } from './problem.js';

/** One door of the API: what the document says of it and what it does stand together. */
export interface Route {
  readonly method: 'get' | 'post' | 'delete';
  /** As OpenAPI writes it: `/v1/actions/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** Who may: a signed read or a bearer key; nothing (`open`); or the body's own signature. */
  readonly access: 'reader' | 'open' | 'signature';
  readonly body?: readonly Component[];
  readonly query?: z.ZodObject;
  /** A component of the document, or words. */
  readonly answers: Readonly<Record<number, string>>;
  readonly handle: (api: Api, c: Call) => Promise<Response>;
}

/** Puts a route on the app and into the document. Bodies are parsed by the handler, strictly: never by the framework. */
export function register(app: OpenAPIHono<Variables>, api: Api, route: Route): void {
  app.openAPIRegistry.registerPath(documented(route));
  app.on(route.method.toUpperCase(), route.path.replaceAll(/\{(\w+)\}/g, ':$1'), (c) => {
    c.set('route', route.path);
    return route.handle(api, c);
  });
}

/** The methods other routes take at this path: for 405 and `Allow`. */
export function methodsAt(routes: readonly Route[], path: string): string[] {
  const takes = ({ path: pattern }: Route): boolean =>
    new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
  return [...new Set(routes.filter(takes).flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])))];
}

/** The query, each name known and given once. */
export function readQuery<S extends z.ZodObject>(c: Call, schema: S): z.output<S> {
  const given: Record<string, string> = {};
  for (const [name, value] of new URL(c.req.url).searchParams) {
    if (name in given) throw refused('request_invalid', `the query names ${name.slice(0, 60)} twice`);
    given[name] = value;
  }
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw refused('request_invalid', `query: ${issue === undefined ? 'invalid' : `${issue.path.join('.')} ${issue.message}`}`.slice(0, 500));
}
