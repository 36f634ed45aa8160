import type { Socket } from 'node:net';

const TIMED_OUT = [408, 'Request Timeout', 'the request did not come in time'] as const;
const TOO_LARGE = [431, 'Request Header Fields Too Large', 'the headers of a request may have 16 KiB in all'] as const;
const UNREADABLE = [400, 'Bad Request', 'this is not a request of HTTP/1.1'] as const;

/**
 * Answers what never became a request: headers that are too large, come too slowly or are none. Nobody can tell which
 * API was meant, so the answer has the form the distribution specification demands, and the connection ends.
 */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  // The client is gone.
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, reason, message] = kindOf(error.code);
  const body = JSON.stringify({ errors: [{ code: 'UNSUPPORTED', message }] });
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${status} ${reason}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nContent-Type: application/json; charset=utf-8\r\nConnection: close\r\n\r\n${body}`,
    );
  socket.destroy(error);
}

function kindOf(code: string | undefined) {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return TIMED_OUT;
  return code === 'HPE_HEADER_OVERFLOW' ? TOO_LARGE : UNREADABLE;
}
