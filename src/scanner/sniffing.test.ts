import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeTar, type TarItem } from '../../test/support/tar.ts';
import { analyseLayer } from './analyse-layer.ts';
import { composeInventory } from './compose.ts';
import { makeElf } from './executables/make-executable.testing.ts';
import { DEFAULT_LIMITS, type LayerEvidence } from './model.ts';
import { analyseFolder } from './sources/folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-sniffing-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program of a runtime, as large as asked for. */
const program = (length: number): Buffer =>
  makeElf([
    { name: '.text', content: Buffer.alloc(length), code: true },
    { name: '.rodata', content: Buffer.from('\0nginx version: nginx/1.25.3\n\0', 'latin1') },
  ]);
const SMALL = program(64);
/** More than is held in memory. */
const LARGE = program(6 * 1024 * 1024);

async function analyse(items: readonly TarItem[], piece = 70_000, limits = DEFAULT_LIMITS): Promise<LayerEvidence> {
  const tar = makeTar(items);
  async function* pieces() {
    for (let at = 0; at < tar.length; at += piece) yield tar.subarray(at, at + piece);
  }
  return analyseLayer(pieces(), { limits });
}

const pathsIn = (evidence: LayerEvidence) => composeInventory([{ evidence }]).packages.map(({ path }) => path);

describe('files that are known by their first bytes', () => {
  it.each([
    ['small', SMALL],
    ['large', LARGE],
  ])('are found in a layer however it arrives, and under the names of hard links: %s', async (_size, content) => {
    for (const piece of [5000, 512 * 1024]) {
      const evidence = await analyse(
        [
          { name: 'usr/sbin/nginx', content },
          { name: 'opt/sbin/nginx', type: 'hardlink', link: 'usr/sbin/nginx' },
          { name: 'lib/apk/db/installed', content: 'P:musl\nV:1\n\n' },
        ],
        piece,
      );
      expect(evidence.complete).toBe(true);
      expect(pathsIn(evidence)).toEqual(['lib/apk/db/installed', 'opt/sbin/nginx', 'usr/sbin/nginx']);
    }
  });

  it('are found in a folder', async () => {
    mkdirSync(join(folder, 'usr/sbin'), { recursive: true });
    writeFileSync(join(folder, 'usr/sbin/nginx'), LARGE);
    writeFileSync(join(folder, 'usr/sbin/other'), 'nginx version: nginx/1.25.3');
    expect(pathsIn(await analyseFolder(folder))).toEqual(['usr/sbin/nginx']);
  });

  it('leave no trace when nothing is in them', async () => {
    const evidence = await analyse([{ name: 'usr/sbin/other', content: makeElf([]) }]);
    expect(evidence.files).toEqual([]);
  });

  it.each([
    [{ fileBytes: 1000 }, 'usr/sbin/nginx has SIZE bytes; of one file at most 1000 are read'],
    [
      { catalogedBytes: 10 },
      'usr/sbin/nginx is not read: with its SIZE bytes the files to look into have more than 10 in all',
    ],
  ])('and are too large are named: %j', async (limit, message) => {
    const evidence = await analyse([{ name: 'usr/sbin/nginx', content: LARGE }], 70_000, {
      ...DEFAULT_LIMITS,
      ...limit,
    });
    expect(composeInventory([{ evidence }]).gaps).toEqual([
      expect.objectContaining({ kind: 'limit', message: message.replace('SIZE', String(LARGE.length)) }),
    ]);
  });
});
