import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { currentLogin, forgetLogin, saveLogin } from './credentials.ts';

let configHome: string;
beforeEach(async () => {
  configHome = join(await mkdtemp(join(tmpdir(), 'breakwater-login-')), 'breakwater');
});
afterEach(() => rm(join(configHome, '..'), { recursive: true }));

const kept = { url: 'https://registry.example.com', user: 'carol', password: 'kept-secret' };

it('is the server of this machine when nothing is set', async () => {
  expect(await currentLogin({ configHome })).toEqual({ url: 'http://127.0.0.1:8080', user: 'admin' });
});

it('is what login kept, in a file for its owner only', async () => {
  const path = await saveLogin(configHome, kept);
  expect(await currentLogin({ configHome })).toEqual(kept);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(configHome)).mode & 0o777).toBe(0o700);
});

it('narrows a file that was open to others', async () => {
  const path = await saveLogin(configHome, kept);
  await writeFile(`${path}.part`, 'left over', { mode: 0o644 });
  await saveLogin(configHome, kept);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

it('lets the settings win', async () => {
  await saveLogin(configHome, kept);
  expect(await currentLogin({ configHome, password: 'set' })).toEqual({ ...kept, password: 'set' });
});

it('never sends a kept password to another server or for another user', async () => {
  await saveLogin(configHome, kept);
  expect(await currentLogin({ configHome, url: 'https://evil.example.com' })).toEqual({
    url: 'https://evil.example.com',
    user: 'admin',
  });
  expect(await currentLogin({ configHome, user: 'dave' })).toEqual({ url: kept.url, user: 'dave' });
});

it('knows the same server with and without a slash at the end', async () => {
  await saveLogin(configHome, kept);
  expect(await currentLogin({ configHome, url: `${kept.url}/` })).toEqual(kept);
});

it('is forgotten by logout, damaged or not', async () => {
  const path = await saveLogin(configHome, kept);
  expect(await forgetLogin(configHome)).toBe(kept.url);
  expect(await forgetLogin(configHome)).toBeUndefined();
  await writeFile(path, '{"url": 5}');
  await expect(currentLogin({ configHome })).rejects.toThrow(/does not hold a login.*breakwater login/);
  await forgetLogin(configHome);
  await expect(readFile(path)).rejects.toThrow(/ENOENT/);
});
