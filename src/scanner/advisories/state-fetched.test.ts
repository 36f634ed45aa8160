import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SourceReport } from '../feeds/fetch/index.ts';
import { readManifest } from './manifest.ts';
import { stateFetched } from './state-fetched.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-state-'));
const path = join(folder, 'breakwater-feeds.json');
afterAll(() => rmSync(folder, { recursive: true }));

const done = { ok: true, changed: true, bytes: 1, detail: 'fetched whole', from: 'mirror.example' } as const;
const day = (n: number) => Date.parse(`2026-11-0${n}T10:00:00Z`);

describe('what is stated of fetched feeds', () => {
  it('is that they are complete, as of their last change, unless somebody said otherwise', async () => {
    const reports: SourceReport[] = [
      { source: 'osv:npm', ...done },
      { source: 'alpine-secdb:v3.20', ...done },
      { source: 'osv:Go', ok: false, error: 'x' },
    ];
    writeFileSync(path, '{"version":1,"feeds":[{"feed":"osv:npm","completeness":"sample","note":"my own"}]}');
    await stateFetched(folder, reports, day(1));
    const note = 'fetched from mirror.example';
    const secdb = { feed: 'alpine-secdb', ecosystem: 'Alpine:v3.20', completeness: 'complete', note };
    expect((await readManifest(folder)).feeds).toEqual([
      { feed: 'osv:npm', completeness: 'sample', note: 'my own' },
      { ...secdb, asOf: '2026-11-01' },
    ]);
    const text = readFileSync(path, 'utf8');
    await stateFetched(folder, [{ source: 'alpine-secdb:v3.20', ...done, changed: false }], day(2));
    expect(readFileSync(path, 'utf8')).toBe(text);
    await stateFetched(folder, [{ source: 'alpine-secdb:v3.20', ...done }], day(3));
    expect((await readManifest(folder)).feeds[1]).toEqual({ ...secdb, asOf: '2026-11-03' });
  });
});
