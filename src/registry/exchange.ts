import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ByteSource } from '../platform/streams.ts';
import { warningHeaders } from './warnings.ts';

/** One request under way. */
export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly query: URLSearchParams;
}

/** Paths clients get back are relative to the host, so that they survive every proxy in front of us. */
export function repositoryPath(repository: string): string {
  return `/v2/${repository}`;
}

/**
 * The body of a request as it arrives. Leaving it half-read does not cut the connection, so that an error can still be
 * answered: the rest is skipped, and the connection goes on with the next request.
 */
export function bodyOf(request: FastifyRequest): ByteSource {
  return {
    // The parser of Node copies each out of its own buffer (node_http_parser.cc, `on_body`), and nobody else listens.
    owned: true,
    [Symbol.asyncIterator]() {
      const body: AsyncIterator<Uint8Array> = request.raw.iterator({ destroyOnReturn: false });
      return {
        next: () => body.next(),
        async return() {
          await body.return?.();
          request.raw.resume();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** One header of the request; sent several times it is a list. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** `Content-Length` as a number; undefined for chunked bodies and none. */
export function lengthOf(request: FastifyRequest): number | undefined {
  const header = request.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

export function hasBody(request: FastifyRequest): boolean {
  return request.headers['transfer-encoding'] !== undefined || (lengthOf(request) ?? 0) > 0;
}

/** Sends JSON with exactly the given media type, no parameters. */
export async function sendJson(reply: FastifyReply, mediaType: string, value: unknown): Promise<FastifyReply> {
  return sendBytes(reply, mediaType, Buffer.from(JSON.stringify(value)));
}

/** As `sendJson`, of what is JSON already. */
export async function sendBytes(reply: FastifyReply, mediaType: string, body: Buffer): Promise<FastifyReply> {
  // Fastify leaves the type of a buffer as it is.
  return reply.code(200).header('content-type', mediaType).header('content-length', body.byteLength).send(body);
}

export function addWarnings(reply: FastifyReply, warnings: readonly string[]): void {
  const headers = warningHeaders(warnings);
  if (headers.length > 0) reply.header('warning', headers);
}
