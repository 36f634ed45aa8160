import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasData } from '../../../test/support/data.ts';
import { systemClock } from '../../platform/clock.ts';
import { expectedInventory } from '../matcher/expected-inventory.testing.ts';
import { matchInventory } from '../matcher/match.ts';
import { installSnapshot } from './snapshot.ts';
import { createAdvisoryStore } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-snapshot-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the shipped snapshot', () => {
  it('installs, holds only what may be shipped, and says what is a sample', async () => {
    const store = createAdvisoryStore({ dir: folder, clock: systemClock });
    const installed = await installSnapshot(store);
    expect(installed?.changed).toBe(true);
    const sources = store.current()?.sources ?? [];
    const bases = new Set(sources.map(({ ecosystem }) => ecosystem.split(':')[0]));
    for (const left of ['Ubuntu', 'SUSE', 'openSUSE', 'Chainguard', 'Wolfi']) expect(bases).not.toContain(left);
    const worth = (ecosystem: string) =>
      sources.filter((source) => source.ecosystem === ecosystem).map(({ completeness }) => completeness);
    expect(worth('Alpine:v3.20')).toContain('complete');
    expect(new Set([...worth('npm'), ...worth('Debian:12')])).toEqual(new Set(['sample']));
    store.close();
  });

  it.skipIf(!hasData)('finds on real images what the feeds say', () => {
    const store = createAdvisoryStore({ dir: folder, clock: systemClock });
    const database = store.current();
    if (database === undefined) throw new Error('the snapshot is not installed');
    const list = 'alpine/alpine-minirootfs-3.20.3-x86_64.tar.gz.tsv';
    const result = matchInventory(expectedInventory(list, 'apk', { id: 'alpine', version: '3.20.3' }), database);
    expect(new Set(result.findings.map(({ id }) => id)).size).toBe(25);
    expect(result).toMatchObject({ missing: [], sampled: [], gaps: [] });
    expect(result.findings.every(({ severities }) => severities.length > 0)).toBe(true);
    const debian = expectedInventory('debian/debian-12-minbase.tar.gz.tsv', 'deb', { id: 'debian', version: '12' });
    expect(matchInventory(debian, database)).toMatchObject({ sampled: ['Debian:12'] });
    store.close();
  });
});
