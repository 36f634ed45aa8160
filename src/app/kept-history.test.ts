import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../platform/logger.ts';
import { openKeptHistory } from './kept-history.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-history-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('a server that starts again knows what ran, and since when a rule is in force', async () => {
  const deps = { logger: silentLogger, most: 100 };
  const first = await openKeptHistory(folder, deps);
  first.history.runs.record({ ownerUid: 'o', image: 'nginx', at: 5 });
  const rule = { kind: 'K8sAllowedRepos', name: 'c', uid: 'u' } as const;
  first.history.rules.stands(rule, { content: 'a', since: 3, now: 3 });
  await first.stop();
  const second = await openKeptHistory(folder, deps);
  expect(second.history.runs.firstSeen('o', 'nginx', undefined)).toBe(5);
  second.history.rules.stands(rule, { content: 'a', since: 9, now: 9 });
  expect(second.history.rules.versions('K8sAllowedRepos', 'c')).toEqual([{ from: 3, content: 'a' }]);
  await second.stop();
  expect(await readdir(folder)).toEqual(['guard-history.json']);
  await writeFile(join(folder, 'guard-history.json'), '{"runs":');
  const third = await openKeptHistory(folder, deps);
  expect(third.history.runs.size).toBe(0);
  await third.stop();
});
