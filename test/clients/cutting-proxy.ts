import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy whose connections break after some bytes from the client, until it is mended. */
export interface CuttingProxy {
  readonly host: string;
  /** From now on everything passes; throws when nothing was cut yet. */
  mend(): void;
  /** Breaks connections again. */
  cutAgain(): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of `target`, `127.0.0.1:port`. */
export async function startCuttingProxy(target: string, afterBytes: number): Promise<CuttingProxy> {
  const port = Number(target.split(':')[1]);
  const sockets = new Set<Socket>();
  let cutting = true;
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    let passed = 0;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      passed += chunk.length;
      if (!cutting || passed <= afterBytes) return;
      cuts += 1;
      client.destroy();
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    mend() {
      if (cuts === 0) throw new Error('the client never sent enough to be cut off');
      cutting = false;
    },
    cutAgain() {
      cutting = true;
      cuts = 0;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
