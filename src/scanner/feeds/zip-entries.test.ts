import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FeedError } from './errors.ts';
import { zipOf } from './fetch/bucket.testing.ts';
import { readZip } from './zip-entries.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-zip-'));
afterAll(() => rmSync(folder, { recursive: true }));

function zip(bytes: Buffer): string {
  const path = join(folder, 'a.zip');
  writeFileSync(path, bytes);
  return path;
}

/** Names with their content, or why there is none. */
async function readAll(path: string, limit = 1_000_000): Promise<readonly (readonly [string, string])[]> {
  const found: [string, string][] = [];
  for await (const entry of readZip(path, limit)) {
    const content = entry.read();
    found.push([entry.name, 'bytes' in content ? content.bytes.toString() : `${content.problem}: ${content.detail}`]);
  }
  return found;
}

const files = new Map(Array.from({ length: 300 }, (_, n) => [`ID-${n}:1 y.json`, `text ${n}`.repeat(n)]));
const archive = zipOf(files);

describe('zip archives of many documents', () => {
  it('are read in order', async () => expect(await readAll(zip(archive))).toEqual([...files]));

  it('give no more than the limit', async () =>
    expect((await readAll(zip(archive), 100)).at(-1)?.[1]).toBe(
      `too-large: ${files.get('ID-299:1 y.json')?.length} bytes, at most 100`,
    ));

  it.each([
    ['a lie about the size', 22, 4, 'too-large'],
    ['a wrong checksum', 14, 1, 'fails its checksum'],
  ])('notice %s', async (_, at, value, problem) => {
    const one = zipOf(new Map([['a.json', 'x'.repeat(1000)]]));
    // The fields in the directory count, two bytes further than in the local header.
    const directory = one.indexOf('PK\x01\x02');
    one.writeUInt32LE(value, directory + at + 2);
    const [entry] = await readAll(zip(one));
    expect(entry?.[1]).toMatch(problem === 'too-large' ? /malformed-record/ : new RegExp(problem));
  });

  it('are unpacked entry by entry into files, at most what was asked', async () => {
    const to = join(folder, 'out');
    for await (const entry of readZip(zip(archive), 10)) {
      if (entry.name !== 'ID-299:1 y.json') continue;
      await expect(entry.extract(to, 100)).rejects.toThrow(FeedError);
      await entry.extract(to, 1_000_000);
      expect(readFileSync(to, 'utf8')).toBe(files.get(entry.name));
    }
  });

  it('survive damage anywhere with an error or with what is left', () => {
    const small = zipOf(new Map([...files].slice(0, 12)));
    return fc.assert(
      fc.asyncProperty(
        fc.nat(small.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, flip, cut) => {
          const damaged = Buffer.from(cut ? small.subarray(0, at) : small);
          if (!cut) damaged[at] = (damaged[at] ?? 0) ^ flip;
          await readAll(zip(damaged)).catch((error: unknown) => expect(error).toBeInstanceOf(FeedError));
        },
      ),
      { numRuns: 300 },
    );
  });
});
