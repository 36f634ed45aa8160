import { connect, createServer, type Socket } from 'node:net';

/** What a Service does: spreads connections over the backends that accept them. */
export interface Balancer {
  readonly port: number;
  /** Ports of the backends from now on. */
  use(ports: readonly number[]): void;
  /** Ends connections that carry no request just now, so that the caller has to make new ones. */
  closeIdle(): number;
  accepted(): number;
  close(): Promise<void>;
}

interface Pair {
  readonly caller: Socket;
  readonly backend: Socket;
  /** The caller has sent more than was answered. */
  busy: boolean;
}

export async function startBalancer(): Promise<Balancer> {
  let ports: readonly number[] = [];
  let turn = 0;
  let accepted = 0;
  const pairs = new Set<Pair>();
  const server = createServer((caller) => {
    accepted += 1;
    caller.on('error', () => caller.destroy());
    join(caller, ports.length);
  });

  function join(caller: Socket, tries: number): void {
    const port = ports[turn++ % Math.max(1, ports.length)];
    if (port === undefined || tries === 0) return void caller.destroy();
    const backend = connect({ host: '127.0.0.1', port });
    backend.once('error', () => (backend.connecting || !pairOf(backend) ? join(caller, tries - 1) : caller.destroy()));
    backend.once('connect', () => {
      const pair: Pair = { caller, backend, busy: false };
      pairs.add(pair);
      caller.on('data', (chunk) => {
        pair.busy = true;
        backend.write(chunk);
      });
      backend.on('data', (chunk) => {
        pair.busy = false;
        caller.write(chunk);
      });
      caller.once('close', () => {
        pairs.delete(pair);
        backend.destroy();
      });
      caller.once('end', () => backend.end());
      backend.once('end', () => caller.end());
      backend.once('close', () => caller.end());
    });
  }
  function pairOf(backend: Socket): Pair | undefined {
    return [...pairs].find((one) => one.backend === backend);
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    use(now) {
      ports = now;
    },
    closeIdle() {
      const idle = [...pairs].filter(({ busy }) => !busy);
      for (const { caller } of idle) caller.end();
      return idle.length;
    },
    accepted: () => accepted,
    async close() {
      for (const { caller, backend } of pairs) {
        caller.destroy();
        backend.destroy();
      }
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
