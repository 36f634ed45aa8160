import type { Server } from 'node:http';

/** A server of HTTP with what is to end when it is closed. */
interface Closing {
  readonly server: Pick<Server, 'closeAllConnections'>;
  close(): PromiseLike<unknown>;
}

/**
 * Closes a server: takes nothing new, lets what is under way end, and cuts it off after `ms`. Node looks no more for requests that come
 * too slowly once a server is to close, so that one half of a request would keep it open for ever.
 */
export async function closeWithin(app: Closing, ms: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), ms);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}
