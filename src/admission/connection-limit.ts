import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';

/**
 * Keeps the open connections of a server below a number. A new one beyond it takes the place of the one that has been
 * idle for longest, else of the one whose request has been coming in for longest; where all wait for answers it is closed
 * itself. So nobody keeps the API server out by holding connections open.
 */
export function limitConnections(server: Server, most: number): void {
  /** In the order they became idle; whoever has not sent a request yet is idle too. */
  const idle = new Set<Socket>();
  const asking = new Set<IncomingMessage>();
  let open = 0;

  function makeRoom(newest: Socket): void {
    const longest = [...idle].find((socket) => socket !== newest);
    const slowest = longest ?? [...asking].find((request) => !request.complete)?.socket;
    (slowest ?? newest).destroy();
  }

  server.on('secureConnection', (socket: Socket) => {
    open += 1;
    idle.add(socket);
    socket.once('close', () => {
      open -= 1;
      idle.delete(socket);
    });
    if (open > most) makeRoom(socket);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    idle.delete(socket);
    asking.add(request);
    response.once('close', () => {
      asking.delete(request);
      if (!socket.destroyed) idle.add(socket);
    });
  });
}
