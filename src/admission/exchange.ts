import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { systemClock } from '../platform/clock.ts';
import { JSON_TYPE } from './plain-head.ts';

/** Whoever waits for the answer to a request. */
export interface Exchange {
  /** Answers, once: with JSON. */
  send(code: number, text: string): void;
  /** Nobody waits any more. */
  isGone(): boolean;
}

/** A request that Node's HTTP server has read. `isLast`: no other may follow on its connection. */
export function exchangeOf(request: IncomingMessage, response: ServerResponse, isLast: () => boolean): Exchange {
  return {
    send(code, text) {
      const length = Buffer.byteLength(text);
      const headers = ['content-type', JSON_TYPE, 'content-length', String(length)];
      // What is still to come of a request that is answered already is read by nobody.
      if (isLast() || !request.complete) headers.push('connection', 'close');
      response.writeHead(code, headers);
      response.end(text, encodingOf(text, length));
    },
    isGone: () => response.destroyed || response.socket?.destroyed === true,
  };
}

/** A whole answer as that server would write it, and how it is encoded. */
export function answerText(code: number, text: string, keepAliveMs: number | undefined): [string, BufferEncoding] {
  const length = Buffer.byteLength(text);
  const type = `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? 'unknown'}\r\ncontent-type: ${JSON_TYPE}\r\ncontent-length: ${length}\r\n`;
  const date = `Date: ${dateNow()}\r\n`;
  const head =
    keepAliveMs === undefined
      ? `${type}connection: close\r\n${date}`
      : `${type}${date}Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1000)}\r\n`;
  return [`${head}\r\n${text}`, encodingOf(text, length)];
}

/** Of plain ASCII both are the same bytes, and this needs no look at each. */
function encodingOf(text: string, bytes: number): BufferEncoding {
  return bytes === text.length ? 'latin1' : 'utf8';
}

let second = 0;
let date = '';

function dateNow(): string {
  const now = Math.floor(systemClock.now() / 1000);
  if (now !== second) {
    second = now;
    date = new Date(now * 1000).toUTCString();
  }
  return date;
}
