import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CliError } from '../exit.ts';
import { parseIgnoreLines, readIgnoreFile } from './ignore-file.ts';

const END = Date.parse('2027-01-31T23:59:59Z');

describe('lines of an ignore file', () => {
  it.each([
    ['CVE-2026-1', { id: 'CVE-2026-1' }],
    ['  CVE-2026-1\t', { id: 'CVE-2026-1' }],
    ['CVE-2026-1 musl', { id: 'CVE-2026-1', package: 'musl' }],
    ['CVE-2026-1 @a/b#c', { id: 'CVE-2026-1', package: '@a/b#c' }],
    ['CVE-2026-1 until=2027-01-31', { id: 'CVE-2026-1', until: END }],
    ['CVE-2026-1 exp:2027-01-31', { id: 'CVE-2026-1', until: END }],
    ['CVE-2026-1 until=2027-01-31 musl # why', { id: 'CVE-2026-1', package: 'musl', until: END, reason: 'why' }],
    ['CVE-2026-1 # until=2027-01-31', { id: 'CVE-2026-1', reason: 'until=2027-01-31' }],
  ])('%s', (text, line) => {
    expect(parseIgnoreLines(text, 'f')).toEqual([{ line: 1, ...line }]);
  });
  it('counts every line, and passes over what says nothing', () => {
    expect(parseIgnoreLines('# title\r\n\r\nCVE-1\r\n  #x\r\nCVE-2', 'f')).toEqual([
      { line: 3, id: 'CVE-1' },
      { line: 5, id: 'CVE-2' },
    ]);
  });
  it.each([
    ['CVE-1 until=2027-02-30', /f, line 1: until=2027-02-30: Write a day/],
    ['CVE-1 until=', /line 1/],
    ['*', /f, line 1: \* is no id of a vulnerability/],
    ['CVE-0\n\n  * # all of them', /f, line 3: \* is no id/],
    ['CVE-2026-*', /CVE-2026-\* is no id/],
    ['CVE-1 *', /\* is no name of a package; leave it out to mean all/],
    ['CVE-1 a b', /at most one package/],
    ['CVE-1 until=2027-01-01 until=2027-01-02', /one until/],
  ])('refuses %s', (text, message) => {
    expect(() => parseIgnoreLines(text, 'f')).toThrow(message);
  });
  it('never ignores more than was written, whatever was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          for (const { id } of parseIgnoreLines(text, 'f')) expect(text).toContain(id);
        } catch (error) {
          expect(error).toBeInstanceOf(CliError);
        }
      }),
    );
  });
});

describe('which file is read', () => {
  it('is the one that is named, and must be there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'breakwater-ignore-'));
    try {
      const path = join(folder, 'mine');
      await expect(readIgnoreFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
      await writeFile(path, 'CVE-1');
      expect(await readIgnoreFile(path)).toEqual({ path, lines: [{ line: 1, id: 'CVE-1' }] });
      await writeFile(path, ' '.repeat(2 * 1024 * 1024));
      await expect(readIgnoreFile(path)).rejects.toThrow(/at most 1.0 MB/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
  it('is none when none is wanted', async () => {
    expect(await readIgnoreFile(false)).toBeUndefined();
  });
});
