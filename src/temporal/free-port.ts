import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => {
        resolve(bound);
      });
    });
  });
}

/** A TCP port on 127.0.0.1 that was free a moment ago. Nothing holds it: bind it soon, and be ready for `EADDRINUSE`. */
export const freePort = (): Promise<number> => listenOnce(0);

/** Whether `port` on 127.0.0.1 can be bound now. Guards against taking another program's server for one's own. */
export async function isPortFree(port: number): Promise<boolean> {
  try {
    await listenOnce(port);
    return true;
  } catch {
    return false;
  }
}
