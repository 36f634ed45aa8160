import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Opens a file for reading, unpacked when it is `packed`, which its name tells unless it is said. Errors of either stage end the returned stream. */
export function openMaybeGzip(path: string, packed: boolean = path.endsWith('.gz')): Readable {
  const file = createReadStream(path);
  if (!packed) return file;
  const gunzip = createGunzip();
  pipeline(file, gunzip, () => undefined);
  return gunzip;
}

/** The first bytes of a file (unpacked), as text: enough to tell one feed from another. */
export async function readHead(path: string, bytes = 4096, packed?: boolean): Promise<string> {
  const stream = openMaybeGzip(path, packed);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= bytes) break;
  }
  stream.destroy();
  return Buffer.concat(chunks).subarray(0, bytes).toString('utf8');
}
