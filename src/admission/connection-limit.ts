import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/**
 * Keeps the open connections of a server below a number. A new one beyond it takes the place of the one that has been
 * idle for longest, else of the one whose request has been coming in for longest; where all wait for answers it is closed
 * itself. So nobody keeps the API server out by holding connections open.
 */
export function limitConnections(server: Server, most: number): void {
  /** What each connection carries or carried last, the one that began longest ago first; nothing before its first request. */
  const open = new Map<Socket, Exchange | undefined>();

  function makeRoom(newest: Socket): void {
    const others = [...open].filter(([socket]) => socket !== newest);
    const [idle] = others.find(([, exchange]) => exchange === undefined || isOver(exchange)) ?? [];
    const [slow] = others.find(([, exchange]) => exchange?.request.complete === false) ?? [];
    (idle ?? slow ?? newest).destroy();
  }

  server.on('secureConnection', (socket: Socket) => {
    open.set(socket, undefined);
    socket.once('close', () => open.delete(socket));
    if (open.size > most) makeRoom(socket);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    open.delete(socket);
    if (!socket.destroyed) open.set(socket, { request, response });
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function isOver({ request, response }: Exchange): boolean {
  return request.complete && response.writableFinished;
}
