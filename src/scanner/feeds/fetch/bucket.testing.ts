import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32, deflateRawSync } from 'node:zlib';

/** How the next replies go wrong, by path. */
export type Trouble = 'error' | 'truncated' | 'longer' | 'no-validators';

/** A public bucket for tests: serves what `file` gives for a path, with ETag, conditions and ranges as real ones do. */
export async function startBucket(file: (path: string) => Buffer | undefined) {
  const requests: { readonly path: string; readonly status: number }[] = [];
  const troubles = new Map<string, Trouble>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/');
    const content = file(path);
    const trouble = troubles.get(path);
    const reply = (status: number, headers: Record<string, string> = {}, body?: Buffer): void => {
      requests.push({ path, status });
      response.writeHead(status, headers);
      response.end(body);
    };
    if (trouble === 'error') return reply(500);
    if (content === undefined) return reply(404);
    const etag = `"${createHash('md5').update(content).digest('hex')}"`;
    const validators: Record<string, string> = trouble === 'no-validators' ? {} : { etag };
    if (request.headers['if-none-match'] === etag) return reply(304, validators);
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start > 0 && request.headers['if-range'] === etag) {
      const range = `bytes ${start}-${content.length - 1}/${content.length}`;
      const rest = content.subarray(start);
      return reply(206, { ...validators, 'content-range': range, 'content-length': String(rest.length) }, rest);
    }
    if (trouble === 'truncated') {
      requests.push({ path, status: 200 });
      response.writeHead(200, { ...validators, 'content-length': String(content.length) });
      response.write(content.subarray(0, Math.floor(content.length / 2)), () => response.destroy());
      return;
    }
    const length = content.length + (trouble === 'longer' ? 10 : 0);
    if (trouble === 'longer') {
      requests.push({ path, status: 200 });
      response.writeHead(200, { ...validators, 'content-length': String(length) });
      response.write(content, () => response.destroy());
      return;
    }
    reply(200, { ...validators, 'content-length': String(length) }, content);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    troubles,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** A zip archive of some files, deflated. */
export function zipOf(files: ReadonlyMap<string, string | Buffer>): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of files) {
    const content = typeof text === 'string' ? Buffer.from(text) : text;
    const packed = deflateRawSync(content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const end = Buffer.alloc(14);
    end.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed]);
    directory.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), fields, end, Buffer.from(name));
    pieces.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const tail = Buffer.alloc(22);
  tail.write('PK\x05\x06', 'latin1');
  tail.writeUInt16LE(files.size, 8);
  tail.writeUInt16LE(files.size, 10);
  tail.writeUInt32LE(central.length, 12);
  tail.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, central, tail]);
}
