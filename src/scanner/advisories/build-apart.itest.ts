import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fixedClock } from '../../platform/clock.ts';
import { FeedError } from '../feeds/errors.ts';
import { buildAdvisoryDatabase } from './build.ts';
import { buildApart } from './build-apart.ts';
import { AdvisoryDatabaseError } from './errors.ts';

const from = join(import.meta.dirname, 'testdata/feeds');
const folder = mkdtempSync(join(tmpdir(), 'breakwater-apart-'));
const clock = fixedClock(Date.parse('2026-11-25T12:00:00Z'));
const out = join(folder, 'a.sqlite');
afterAll(() => rmSync(folder, { recursive: true }));

describe('a build in a thread of its own', () => {
  it('gives what a build gives, and tells how far it is', async () => {
    const seen: string[] = [];
    const apart = await buildApart({ from, out, clock, onProgress: ({ phase }) => seen.push(phase) });
    const here = await buildAdvisoryDatabase({ from, out: join(folder, 'b.sqlite'), clock });
    expect({ ...apart, path: '' }).toEqual({ ...here, path: '' });
    expect(seen).toContain('read');
  });

  it('fails with the same errors', async () => {
    await expect(buildApart({ from: join(folder, 'absent'), out, clock })).rejects.toThrow(FeedError);
    const completeness = join(folder, 'bad.json');
    writeFileSync(completeness, '{');
    const failed = buildApart({ from, out, clock, completeness });
    await expect(failed).rejects.toThrow(AdvisoryDatabaseError);
    await expect(failed).rejects.toMatchObject({ code: 'bad_manifest' });
  });
});
