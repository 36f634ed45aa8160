import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FolderLockError, lockFolder } from './folder-lock.ts';

it('gives a folder to one owner at a time', () => {
  const folder = mkdtempSync(join(tmpdir(), 'breakwater-lock-'));
  const first = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(FolderLockError);
  expect(() => lockFolder(folder)).toThrow(/another Breakwater uses the data folder/);
  first.release();
  lockFolder(folder).release();
  rmSync(folder, { recursive: true });
});
