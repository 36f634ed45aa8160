import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fixedClock } from '../platform/clock.ts';
import { createHttpClient } from '../platform/http-client.ts';
import { silentLogger } from '../platform/logger.ts';
import { createAdvisoryStore } from '../scanner/advisories/index.ts';
import { startBucket } from '../scanner/feeds/fetch/bucket.testing.ts';
import { createAdvisoryRefresh } from './advisory-refresh.ts';

const feeds = join(import.meta.dirname, '../scanner/advisories/testdata/feeds');
const dataDir = mkdtempSync(join(tmpdir(), 'breakwater-refresh-'));
const clock = fixedClock(Date.parse('2026-11-25T12:00:00Z'));
const http = createHttpClient({ userAgent: 'test', attempts: 1 });
afterAll(async () => {
  await http.close();
  rmSync(dataDir, { recursive: true });
});

describe('a server that keeps its advisories up to date', () => {
  it('installs what it fetched, again only after changes, and keeps what it has when sources fail', async () => {
    const files = new Map([['/kev', readFileSync(join(feeds, 'kev.json'))]]);
    const bucket = await startBucket((path) => files.get(path));
    const advisories = createAdvisoryStore({ dir: join(dataDir, 'advisories'), clock });
    const installed: string[] = [];
    const refresh = createAdvisoryRefresh({
      config: {
        dataDir,
        advisorySources: 'cisa-kev',
        advisoryMirrors: `cisa-kev=${bucket.url}/kev`,
        advisoryRefreshHours: 1,
      },
      clock,
      logger: silentLogger,
      http,
      advisories,
      onInstalled: async ({ database }) => void installed.push(database.version),
    });
    try {
      expect(await refresh.run()).toBe(true);
      expect(advisories.current()?.sources).toMatchObject([{ feed: 'cisa-kev', completeness: 'complete' }]);
      expect(await refresh.run()).toBe(false);
      files.set('/kev', Buffer.from(files.get('/kev')?.toString().replace('2025-48384', '2025-48385') ?? ''));
      expect(await refresh.run()).toBe(true);
      expect(advisories.current()?.vulnerability('CVE-2025-48385')?.kev).toBe('2025-08-25');
      files.clear();
      expect(await refresh.run()).toBe(false);
      expect(installed).toEqual([installed[0], advisories.current()?.version]);
    } finally {
      await refresh.close();
      advisories.close();
      await bucket.close();
    }
  });
});
