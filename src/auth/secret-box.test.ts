import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSecretBox, openSecretBox } from './secret-box.ts';

describe('secret box', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'breakwater-box-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it('opens what it sealed, never sealing twice alike', () => {
    const box = createSecretBox(randomBytes(32));
    for (const text of ['', 'hunter2', 'ü\0'.repeat(1000)]) expect(box.open(box.seal(text, 'c'), 'c')).toBe(text);
    expect(box.seal('a', 'c')).not.toBe(box.seal('a', 'c'));
    expect(box.seal('hunter2', 'c')).not.toContain('hunter2');
  });

  it('does not open with another key, for another purpose, cut or changed', () => {
    const box = createSecretBox(randomBytes(32));
    const sealed = box.seal('hunter2', 'upstream/1');
    const unreadable = expect.objectContaining({ code: 'secret_unreadable' });
    expect(() => createSecretBox(randomBytes(32)).open(sealed, 'upstream/1')).toThrow(unreadable);
    expect(() => box.open(sealed, 'upstream/2')).toThrow(unreadable);
    for (let length = 0; length < sealed.length - 1; length += 1)
      expect(() => box.open(sealed.slice(0, length), 'upstream/1')).toThrow(unreadable);
    for (let at = 0; at < sealed.length; at += 1) {
      const other = sealed[at] === 'A' ? 'B' : 'A';
      expect(() => box.open(sealed.slice(0, at) + other + sealed.slice(at + 1), 'upstream/1')).toThrow(unreadable);
    }
  });

  it('makes one key file, for its owner only, however many start at once', async () => {
    const boxes = await Promise.all(Array.from({ length: 8 }, () => openSecretBox({ dataDir })));
    const sealed = boxes[0]!.seal('x', 'c');
    expect(boxes.map((box) => box.open(sealed, 'c'))).toEqual(Array.from({ length: 8 }, () => 'x'));
    expect((await openSecretBox({ dataDir })).open(sealed, 'c')).toBe('x');
    expect(await readdir(dataDir)).toEqual(['secret.key']);
    expect((await stat(join(dataDir, 'secret.key'))).mode & 0o777).toBe(0o600);
  });

  it('takes the configured key and makes no file then', async () => {
    await openSecretBox({ dataDir, key: randomBytes(32).toString('base64') });
    expect(await readdir(dataDir)).toEqual([]);
  });

  it.each(['', 'c2hvcnQ=', randomBytes(33).toString('base64')])('refuses the key %s', async (key) => {
    await expect(openSecretBox({ dataDir, key })).rejects.toMatchObject({ code: 'key_invalid' });
    await writeFile(join(dataDir, 'secret.key'), key);
    await expect(openSecretBox({ dataDir })).rejects.toThrow('secret.key');
  });
});
