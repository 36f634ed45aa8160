import type { Random } from './random.ts';

const EDGES = [0, 1, 2, 3, 4, 7, 8, 12, 16, 127, 128, 255, 256, 511, 512, 1023, 4095, 4096, 65_535, 65_536] as const;
const LARGE = [0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x00ffffff, 0x10000000] as const;
const LARGEST_CASE = 8 * 1024 * 1024;

/** Changes any bytes in one to eight ways: bits, numbers of every width and order, parts cut out, doubled, moved or taken from another file. */
export function mutateBytes(random: Random, bytes: Buffer, other: Buffer): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  const changes = 1 + random.under(random.chance(0.2) ? 8 : 3);
  for (let change = 0; change < changes; change += 1) mutated = once(random, mutated, other);
  return mutated.subarray(0, LARGEST_CASE);
}

function once(random: Random, bytes: Buffer, other: Buffer): Buffer {
  if (bytes.length === 0) return Buffer.from([random.under(256)]);
  const at = placeIn(random, bytes.length);
  switch (random.under(8)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.under(8));
      return bytes;
    case 1:
      bytes[at] = random.under(256);
      return bytes;
    case 2:
    case 3:
      putNumber(random, bytes, at);
      return bytes;
    case 4:
      return bytes.subarray(0, at);
    case 5: {
      const length = random.under(Math.min(bytes.length - at, 4096) + 1);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    }
    case 6: {
      const from = random.under(bytes.length);
      const part = bytes.subarray(from, from + 1 + random.under(4096));
      const times = random.chance(0.1) ? 1 + random.under(64) : 1;
      return Buffer.concat([bytes.subarray(0, at), ...Array<Buffer>(times).fill(part), bytes.subarray(at)]);
    }
    default: {
      const from = random.under(Math.max(other.length, 1));
      return Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + 65_536), bytes.subarray(at)]);
    }
  }
}

/** Fields stand at the begin and the end of most formats, and at round places. */
function placeIn(random: Random, length: number): number {
  const area = random.under(4);
  const at =
    area === 0
      ? random.under(Math.min(length, 512))
      : area === 1
        ? length - 1 - random.under(Math.min(length, 512))
        : random.under(length);
  return random.chance(0.5) ? at - (at % 4) : at;
}

/** Puts an awkward number into a field of 1, 2, 4 or 8 bytes. */
function putNumber(random: Random, bytes: Buffer, at: number): void {
  const width = random.pick([1, 2, 4, 8].filter((one) => at + one <= bytes.length));
  const small = random.chance(0.5);
  const value = random.chance(0.3) ? random.under(bytes.length + 1) : small ? random.pick(EDGES) : random.pick(LARGE);
  const bigEndian = random.chance(0.5);
  for (let index = 0; index < width; index += 1)
    bytes[at + (bigEndian ? width - 1 - index : index)] = index < 6 ? Math.floor(value / 2 ** (8 * index)) % 256 : 0;
}
