import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/**
 * Keeps the open connections of a server below a number. A new one beyond it takes the place of the one that has been
 * idle for longest, else of the one whose request has been coming in for longest; where all wait for answers it is closed
 * itself. So nobody keeps the API server out by holding connections open.
 */
export function limitConnections(server: Server, most: number): void {
  const open = new Map<Socket, Carried>();
  let begun = 0;

  function makeRoom(newest: Socket): void {
    const others = [...open].filter(([socket]) => socket !== newest).sort(([, a], [, b]) => a.since - b.since);
    const [idle] = others.find(([, { exchange }]) => exchange === undefined || isOver(exchange)) ?? [];
    const [slow] = others.find(([, { exchange }]) => exchange?.request.complete === false) ?? [];
    (idle ?? slow ?? newest).destroy();
  }

  server.on('secureConnection', (socket: Socket) => {
    open.set(socket, { since: (begun += 1), exchange: undefined });
    socket.once('close', () => open.delete(socket));
    if (open.size > most) makeRoom(socket);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const carried = open.get(request.socket);
    if (carried === undefined) return;
    // Written over and never moved in the map: every map that a request leaves behind would keep it until a full collection.
    carried.since = begun += 1;
    carried.exchange = { request, response };
  });
}

/** What a connection carries or carried last. */
interface Carried {
  /** In the order of beginnings, of connections and requests alike. */
  since: number;
  /** Nothing before its first request. */
  exchange: Exchange | undefined;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function isOver({ request, response }: Exchange): boolean {
  return request.complete && response.writableFinished;
}
