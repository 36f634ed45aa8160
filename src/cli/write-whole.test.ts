import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moveWhole, writeWhole } from './write-whole.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-whole-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(process.platform === 'win32')('a pipe', () => {
  it.each([
    ['writes into', (path: string) => writeWhole(path, ['one ', 'two'])],
    [
      'moves a file into',
      async (path: string) => {
        writeFileSync(join(folder, 'made'), 'one two');
        await moveWhole(join(folder, 'made'), path);
      },
    ],
  ])('is what it %s, and stays one', async (what, write) => {
    const path = join(folder, what);
    execFileSync('mkfifo', [path]);
    // Open at both ends, so that nobody waits for the other.
    const pipe = await open(path, 'r+');
    await write(path);
    const { buffer, bytesRead } = await pipe.read(Buffer.alloc(100), 0, 100);
    expect(buffer.toString('utf8', 0, bytesRead)).toBe('one two');
    await pipe.close();
    expect(statSync(path).isFIFO()).toBe(true);
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

it('replaces the file that a link leads to, for its owner only', async () => {
  const [file, link] = [join(folder, 'file'), join(folder, 'link')];
  writeFileSync(file, 'old', { mode: 0o644 });
  symlinkSync(file, link);
  expect(await writeWhole(link, ['new'])).toBe(3);
  expect([readFileSync(file, 'utf8'), readFileSync(link, 'utf8')]).toEqual(['new', 'new']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});
