import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What happens to a request on its way. */
export type Trouble =
  /** It is answered with this status, and goes nowhere. */
  | { readonly kind: 'status'; readonly status: number; readonly code: string }
  /** The connection breaks before it arrives. */
  | { readonly kind: 'cut' }
  /** It arrives and is done; the answer gets lost. */
  | { readonly kind: 'lost-reply' }
  /** The answer breaks off after some bytes. */
  | { readonly kind: 'cut-reply'; readonly after: number }
  /** Nobody answers. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'delay'; readonly ms: number };

export interface Passing {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Which one of its kind (method and path) it is, from 1 on. */
  readonly nth: number;
}

/** Decides about one request; undefined lets it pass. */
export type Plan = (passing: Passing) => Trouble | undefined;

/** A real HTTP proxy on the loopback address in front of a server, which makes trouble as told. */
export interface TroubledProxy {
  readonly url: string;
  /** Every request since the last plan, as `PUT /bucket/key?query`. */
  readonly seen: readonly string[];
  /** Forgets what was counted. */
  plan(next: Plan): void;
  close(): Promise<void>;
}

const untroubled: Plan = () => undefined;

export async function startTroubledProxy(target: string): Promise<TroubledProxy> {
  const { hostname, port } = new URL(target);
  let current: Plan = untroubled;
  let seen: string[] = [];
  const counts = new Map<string, number>();

  function onRequest(incoming: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '' } = incoming;
    seen.push(`${method} ${url}`);
    const address = new URL(url, target);
    const key = `${method} ${address.pathname}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    const trouble = current({ method, path: address.pathname, query: address.searchParams, nth });
    incoming.on('error', () => undefined);
    response.on('error', () => undefined);
    switch (trouble?.kind) {
      case 'status': {
        incoming.resume();
        const body = `<?xml version="1.0"?><Error><Code>${trouble.code}</Code><Message>as planned</Message></Error>`;
        incoming.once('end', () => response.writeHead(trouble.status, { 'content-type': 'application/xml' }).end(body));
        return;
      }
      case 'cut':
        incoming.socket.destroy();
        return;
      case 'silence':
        incoming.resume();
        return;
      case 'delay':
        setTimeout(() => forward(incoming, response, undefined), trouble.ms);
        return;
      default:
        forward(incoming, response, trouble);
    }
  }

  function forward(incoming: IncomingMessage, response: ServerResponse, trouble: Trouble | undefined): void {
    const { method, url, headers } = incoming;
    const outgoing = request({ hostname, port, method, path: url, headers }, (answer) => {
      if (trouble?.kind === 'lost-reply') {
        answer.resume().once('end', () => incoming.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      let left = trouble?.kind === 'cut-reply' ? trouble.after : Number.POSITIVE_INFINITY;
      if (left === 0) {
        response.flushHeaders();
        setTimeout(() => incoming.socket.destroy(), 5);
        return;
      }
      answer.on('data', (chunk: Buffer) => {
        if (left <= 0) return;
        const part = chunk.subarray(0, left);
        left -= part.length;
        // What was written must leave before the connection breaks.
        const more = response.write(part, () => left <= 0 && incoming.socket.destroy());
        if (!more) {
          answer.pause();
          response.once('drain', () => answer.resume());
        }
      });
      answer.once('end', () => left > 0 && response.end());
    });
    outgoing.on('error', () => incoming.socket.destroy());
    incoming.socket.once('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }

  const server = createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get seen() {
      return seen;
    },
    plan(next) {
      current = next;
      seen = [];
      counts.clear();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
