import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/** A request on its way through a connection. */
export interface Carrier {
  /** All of it has come. */
  isReceived(): boolean;
  /** All of its answer has gone out. */
  isAnswered(): boolean;
}

/** Tells of requests that the server itself does not know of. */
export type TellCarried = (socket: Socket, carrier: Carrier) => void;

/**
 * Keeps the open connections of a server below a number. A new one beyond it takes the place of the one that has been
 * idle for longest, else of the one whose request has been coming in for longest; where all wait for answers it is closed
 * itself. So nobody keeps the API server out by holding connections open.
 */
export function limitConnections(server: Server, most: number): TellCarried {
  const open = new Map<Socket, Carried>();
  let begun = 0;

  function makeRoom(newest: Socket): void {
    const others = [...open].filter(([socket]) => socket !== newest).sort(([, a], [, b]) => a.since - b.since);
    const [idle] = others.find(([, { carrier }]) => carrier === undefined || isOver(carrier)) ?? [];
    const [slow] = others.find(([, { carrier }]) => carrier?.isReceived() === false) ?? [];
    (idle ?? slow ?? newest).destroy();
  }
  function carries(socket: Socket, carrier: Carrier): void {
    const carried = open.get(socket);
    if (carried === undefined) return;
    // Written over and never moved in the map: every map that a request leaves behind would keep it until a full collection.
    carried.since = begun += 1;
    carried.carrier = carrier;
  }

  server.on('secureConnection', (socket: Socket) => {
    open.set(socket, { since: (begun += 1), carrier: undefined });
    socket.once('close', () => open.delete(socket));
    if (open.size > most) makeRoom(socket);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) =>
    carries(request.socket, {
      isReceived: () => request.complete,
      isAnswered: () => response.writableFinished,
    }),
  );
  return carries;
}

/** What a connection carries or carried last. */
interface Carried {
  /** In the order of beginnings, of connections and requests alike. */
  since: number;
  /** Nothing before its first request. */
  carrier: Carrier | undefined;
}

function isOver(carrier: Carrier): boolean {
  return carrier.isReceived() && carrier.isAnswered();
}
