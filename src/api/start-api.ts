import { serve, type RunningServer } from '../http/serve.js';
import { createApi, type ApiOptions } from './create-api.js';

export interface StartOptions extends ApiOptions {
  /** 0: a free one. */
  readonly port: number;
  /** Left out: 127.0.0.1. TLS is the business of what stands in front of it. */
  readonly host?: string;
}

/** `close` ends waits and streams, lets the other answers out, then stops listening. Closes no Temporal connection. */
export type RunningApi = RunningServer;

/** Listens. Prints nothing. Rejects if the port is taken. */
export function startApi({ port, host = '127.0.0.1', ...options }: StartOptions): Promise<RunningApi> {
  const api = createApi(options);
  return serve({
    port,
    host,
    fetch: (request, from) => api.fetch(request, from),
    server: { keepAliveTimeout: 5_000, requestTimeout: 30_000 },
    ending: () => api.end(),
  });
}
