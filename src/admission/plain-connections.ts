import type { Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Carrier } from './connection-limit.ts';
import { answerText, type Exchange } from './exchange.ts';
import { type PlainHead, readPlainHead } from './plain-head.ts';
import type { HeldBody, ReceivedBody, ReviewBodies } from './review-bodies.ts';

export interface PlainRequestsOptions<Route> {
  /** Undefined for what is nobody's business here. */
  route(target: string): Route | undefined;
  /** Takes a request whose body is there, or what became of it. It is answered at once or later. */
  take(route: Route, exchange: Exchange, error: Error | null, body?: HeldBody): void;
  readonly bodies: Pick<ReviewBodies, 'receive'>;
  /** Larger bodies are refused, by Node's server. */
  readonly largest: number;
  /** Milliseconds until the first request, and each whole one, must have come. */
  readonly receivedMs: number;
  readonly keepAliveMs: number;
  /** How often that is looked at. */
  readonly lookEveryMs: number;
  /** Every answer is the last of its connection. */
  isLast(): boolean;
  /** A connection begins to carry a request. */
  carries(socket: TLSSocket, carrier: Carrier): void;
}

export interface PlainRequests {
  /** Ends connections that carry nothing. */
  closeIdle(): void;
}

interface PlainConnection {
  /** Ends it when something has not come in time. */
  look(now: number): void;
  closeIdle(): void;
}

/** `fresh`: nothing came yet · `over`: it ends, or Node's server has it. */
type State = 'fresh' | 'receiving' | 'deciding' | 'idle' | 'over';

const NOTHING_HELD = (): void => undefined;
/** Beyond the time that clients are told, so that they and not we end a connection. */
const KEPT_LONGER_MS = 1000;

/**
 * Reads plain requests from the connections of a server by itself: Node's own reading, with its streams and objects for each
 * request, costs a third of what a review does. A connection on which anything else comes (another method or header, a
 * head in pieces, a request before the last one is answered) is handed over to Node's server as it is, and stays with it.
 */
export function readPlainRequests<Route>(server: Server, options: PlainRequestsOptions<Route>): PlainRequests {
  const [nodes] = server.listeners('secureConnection') as ((this: Server, socket: TLSSocket) => void)[];
  if (nodes === undefined) throw new Error('this server takes no connections');
  server.off('secureConnection', nodes);
  const open = new Set<PlainConnection>();
  const looking = setInterval(() => {
    const now = performance.now();
    for (const one of open) one.look(now);
  }, options.lookEveryMs);
  looking.unref();
  server.once('close', () => clearInterval(looking));
  server.on('secureConnection', (socket) => {
    if (socket.destroyed) return;
    const connection = readFrom(socket, {
      ...options,
      gone: () => open.delete(connection),
      failed: (error) => void (server.emit('clientError', error, socket) || socket.destroy(error)),
      handOver: () => nodes.call(server, socket),
    });
    open.add(connection);
  });
  return {
    closeIdle() {
      for (const one of open) one.closeIdle();
    },
  };
}

interface Surroundings<Route> extends PlainRequestsOptions<Route> {
  /** It is nobody's any more, or Node's. */
  gone(): void;
  /** Answers as Node's server does. */
  failed(error: Error): void;
  handOver(): void;
}

function readFrom<Route>(socket: TLSSocket, deps: Surroundings<Route>): PlainConnection {
  let state: State = 'fresh';
  let since = performance.now();
  let body: ReceivedBody | undefined;
  let missing = 0;
  /** What came behind the request that is not answered yet. */
  let behind: Buffer | undefined;

  const exchange: Exchange = {
    send(code, text) {
      if (state !== 'deciding' && state !== 'receiving') return;
      // What is still to come of a request that is answered already is read by nobody.
      const isLast = deps.isLast() || state === 'receiving';
      socket.write(...answerText(code, text, isLast ? undefined : deps.keepAliveMs));
      since = performance.now();
      if (isLast) {
        state = 'over';
        socket.destroySoon();
        return;
      }
      state = 'idle';
      if (behind !== undefined) handOver(behind);
    },
    isGone: () => socket.destroyed,
  };
  const carrier: Carrier = {
    isReceived: () => state !== 'receiving',
    isAnswered: () => state !== 'deciding' && socket.writableLength === 0,
  };

  function end(): void {
    state = 'over';
    deps.gone();
  }
  function fail(error: Error): void {
    if (state === 'over') return;
    end();
    deps.failed(error);
  }

  function onData(chunk: Buffer): void {
    if (state === 'receiving') receive(chunk);
    else if (state === 'deciding') hold(chunk);
    else if (state !== 'over') begin(chunk);
  }
  function begin(chunk: Buffer): void {
    const head = readPlainHead(chunk);
    const route = head && deps.route(head.target);
    // Who sends and does not read is for Node's server to slow down.
    if (head === undefined || route === undefined || head.length > deps.largest || socket.writableNeedDrain) {
      handOver(chunk);
      return;
    }
    since = performance.now();
    deps.carries(socket, carrier);
    const bodyEnd = head.bodyAt + head.length;
    if (chunk.length < bodyEnd) {
      receiveLater(route, head, chunk);
      return;
    }
    state = 'deciding';
    if (chunk.length > bodyEnd) behind = chunk.subarray(bodyEnd);
    deps.take(route, exchange, null, { bytes: chunk.subarray(head.bodyAt, bodyEnd), release: NOTHING_HELD });
  }
  function receiveLater(route: Route, { bodyAt, length }: PlainHead, chunk: Buffer): void {
    state = 'receiving';
    missing = length;
    body = deps.bodies.receive(length, (error, held) => deps.take(route, exchange, error, held));
    if (chunk.length > bodyAt) receive(chunk.subarray(bodyAt));
  }
  function receive(chunk: Buffer): void {
    const own = chunk.length > missing ? chunk.subarray(0, missing) : chunk;
    missing -= own.length;
    body?.add(own);
    if (missing > 0 || state !== 'receiving') return;
    state = 'deciding';
    if (chunk.length > own.length) behind = chunk.subarray(own.length);
    body?.end();
    body = undefined;
  }
  function hold(chunk: Buffer): void {
    behind = behind === undefined ? chunk : Buffer.concat([behind, chunk]);
    socket.pause();
  }
  /** From its next bytes on the connection is Node's. */
  function handOver(first: Buffer): void {
    end();
    socket.off('data', onData).off('end', onEnd).off('error', fail).off('close', onClose);
    socket.resume();
    deps.handOver();
    // By hand: put back into the stream it could come after what the parser takes from the socket itself.
    socket.emit('data', first);
  }
  function onEnd(): void {
    if (state === 'receiving')
      fail(Object.assign(new Error('the request broke off'), { code: 'HPE_INVALID_EOF_STATE' }));
    else socket.end();
  }
  function onClose(): void {
    body?.fail(new Error('aborted'));
    end();
  }

  socket.on('data', onData).on('end', onEnd).on('error', fail).on('close', onClose);
  return {
    look(now) {
      if (state === 'fresh' || state === 'receiving') {
        if (now - since > deps.receivedMs)
          fail(Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }));
      } else if (state === 'over') {
        // It does not read its last answer.
        if (now - since > deps.receivedMs) socket.destroy();
      } else if (state === 'idle' && now - since > deps.keepAliveMs + KEPT_LONGER_MS) socket.destroy();
    },
    closeIdle() {
      if (state === 'idle') socket.destroy();
    },
  };
}
