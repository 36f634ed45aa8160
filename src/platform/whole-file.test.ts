import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWholeFile, placeFile, writeWholeFile } from './whole-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'breakwater-whole-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(process.platform === 'win32')('a pipe', () => {
  it.each([
    ['writes into', (path: string) => writeWholeFile(path, ['one ', 'two'])],
    [
      'gives a file to',
      async (path: string) => {
        await makeWholeFile(path, async (part) => writeFileSync(part, 'one two'));
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
  expect(await writeWholeFile(link, ['new'])).toBe(3);
  expect([readFileSync(file, 'utf8'), readFileSync(link, 'utf8')]).toEqual(['new', 'new']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('makes the file that a link leads to, when that is not there', async () => {
  const [file, link] = [join(folder, 'later'), join(folder, 'to-later')];
  symlinkSync('later', link);
  await writeWholeFile(link, ['new'], { durable: true });
  expect([readFileSync(file, 'utf8'), lstatSync(link).isSymbolicLink()]).toEqual(['new', true]);
  writeFileSync(join(folder, 'made'), 'newer');
  await placeFile(join(folder, 'made'), link);
  expect([readFileSync(file, 'utf8'), lstatSync(link).isSymbolicLink()]).toEqual(['newer', true]);
});

it('leaves what was there when writing fails, and takes nothing over from a try before', async () => {
  const path = join(folder, 'kept');
  writeFileSync(path, 'old');
  writeFileSync(join(folder, 'victim'), 'untouched');
  symlinkSync(join(folder, 'victim'), `${path}.part`);
  async function* broken() {
    yield Buffer.from('half');
    throw new Error('gone');
  }
  await expect(writeWholeFile(path, broken())).rejects.toThrow('gone');
  expect([readFileSync(path, 'utf8'), readFileSync(join(folder, 'victim'), 'utf8')]).toEqual(['old', 'untouched']);
  expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
});
