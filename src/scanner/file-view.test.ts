import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type FileView, viewOf, viewOfFile } from './file-view.ts';
import { createSpool } from './spool.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-view-'));
const SIZE = 300_000;
const content = Buffer.from(Array.from({ length: SIZE }, (_, at) => (at * 7 + (at >> 8)) & 255));
const path = join(folder, 'content');
writeFileSync(path, content);
const fd = openSync(path, 'r');

afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const spools = () => readdirSync(tmpdir()).filter((name) => name.startsWith('breakwater-spool-'));

async function spooled(): Promise<FileView> {
  let at = 0;
  return createSpool().take(() => {
    const piece = content.subarray(at, at + 70_001);
    at += piece.length;
    return piece;
  });
}

describe('a file at hand', () => {
  it.each([
    ['in memory', () => viewOf(content)],
    ['on disk', () => viewOfFile(fd, SIZE)],
    ['in a spool', spooled],
  ])('%s gives the bytes of any place', async (_where, open) => {
    const view = await open();
    expect(view.bytes().equals(content)).toBe(true);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: SIZE + 10 }), fc.integer({ min: 0, max: 200_000 }), (at, length) => {
        expect(view.read(at, length).equals(content.subarray(at, at + length))).toBe(true);
      }),
    );
    expect([view.read(-5, 3).equals(content.subarray(0, 3)), view.read(5, -3).length]).toEqual([true, 0]);
  });

  it('leaves nothing behind that has a name', async () => {
    const before = spools();
    const view = await spooled();
    expect(spools()).toEqual(before);
    expect(view.read(0, 4)).toEqual(content.subarray(0, 4));
  });
});
