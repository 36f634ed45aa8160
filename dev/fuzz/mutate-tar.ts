import { mutateBytes } from './mutate-bytes.ts';
import type { Random } from './random.ts';

const BLOCK = 512;
/** Fields of a header (POSIX.1-2017, pax, "ustar Interchange Format"). */
const FIELDS = [
  [0, 100],
  [100, 8],
  [124, 12],
  [156, 1],
  [157, 100],
  [257, 8],
  [345, 155],
  [482, 1],
] as const;
const FLAGS = '0123456789xgLKSDVMN\0';
const NAMES = [
  '../../../../etc/passwd',
  '/etc/os-release',
  '.wh..wh..opq',
  'lib/apk/db/.wh.installed',
  'a/./../b//c',
  'var/lib/dpkg/status',
  'node_modules/a/package.json',
  'usr',
  'lib',
  '',
  '..',
  '\xff\xfe',
] as const;

/** Changes an archive field by field and block by block, and makes the checksums right again most times. */
export function mutateTar(random: Random, bytes: Buffer, other: Buffer): Buffer {
  if (random.chance(0.15)) return mutateBytes(random, bytes, other);
  let mutated = Buffer.from(bytes);
  const headers = headersOf(mutated);
  if (headers.length === 0) return mutateBytes(random, bytes, other);
  for (let change = 0; change <= random.under(5); change += 1) {
    const at = random.pick(headers);
    const header = mutated.subarray(at, at + BLOCK);
    if (header.length < BLOCK) continue;
    switch (random.under(7)) {
      case 0:
        header[156] = FLAGS.charCodeAt(random.under(FLAGS.length));
        break;
      case 1:
        putSize(random, header);
        break;
      case 2:
        putText(random, header, 0);
        break;
      case 3:
        putText(random, header, 157);
        break;
      case 4: {
        const [start, length] = random.pick(FIELDS);
        for (let index = 0; index < length; index += 1)
          if (random.chance(0.3)) header[start + index] = random.under(256);
        break;
      }
      case 5:
        mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(random.pick(headers))]);
        break;
      default:
        mutated = Buffer.concat([mutated.subarray(0, at), other.subarray(0, 64 * BLOCK), mutated.subarray(at)]);
    }
    if (random.chance(0.9)) fixChecksum(header);
  }
  return mutated;
}

function headersOf(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK)
    if (bytes.toString('latin1', at + 257, at + 262) === 'ustar') found.push(at);
  return found;
}

function putSize(random: Random, header: Buffer): void {
  const size = random.pick([0, 1, 511, 512, 513, 65_536, 2 ** 33 - 1, random.under(100_000)]);
  if (random.chance(0.3)) {
    header.fill(0, 124, 136);
    header[124] = 0x80 | random.under(128);
    header.writeUInt32BE(random.under(2 ** 32), 132);
  } else header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
}

function putText(random: Random, header: Buffer, at: number): void {
  header.fill(0, at, at + 100);
  header.write(random.pick(NAMES), at, 100, 'latin1');
}

function fixChecksum(header: Buffer): void {
  header.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
