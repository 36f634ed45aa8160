import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../src/platform/clock.ts';
import { buildAdvisoryDatabase } from '../src/scanner/advisories/build.ts';
import { openAdvisoryDatabase } from '../src/scanner/advisories/database.ts';
import type { AdvisoryKey } from '../src/scanner/advisories/types.ts';
import { zipOf } from '../src/scanner/feeds/fetch/bucket.testing.ts';
import { dataPath } from '../test/support/data.ts';

/**
 * Builds the advisories of a later day: those in the feeds, and for each day so far a critical vulnerability without a fix in packages of its
 * names, under every release that knows them. Gives the path.
 */
export async function laterAdvisories(
  folder: string,
  first: string,
  days: readonly (readonly string[])[],
): Promise<string> {
  const feeds = join(folder, `feeds-${days.length}`);
  await mkdir(feeds, { recursive: true });
  for (const name of await readdir(dataPath('.'))) await symlink(dataPath(name), join(feeds, name));
  const database = openAdvisoryDatabase(first);
  const known = [...database.keys()].filter(({ ecosystem }) => ecosystem.includes(':'));
  database.close();
  for (const [family, keys] of Map.groupBy(known, ({ ecosystem }) => ecosystem.split(':')[0] ?? '')) {
    const records = days.map((names, day) => recordOf(`CVE-2099-${10_000 + day}`, keys, new Set(names)));
    await mkdir(join(feeds, 'added', family), { recursive: true });
    const zip = zipOf(new Map(records.map((record) => [`${record.id}.json`, JSON.stringify(record)])));
    await writeFile(join(feeds, 'added', family, 'all.zip'), zip);
  }
  const out = join(folder, `advisories-${days.length}.sqlite`);
  await buildAdvisoryDatabase({ from: feeds, out, clock: systemClock });
  return out;
}

/** As OSV has it. */
function recordOf(id: string, keys: readonly AdvisoryKey[], names: ReadonlySet<string>) {
  return {
    id,
    modified: '2026-11-01T00:00:00Z',
    published: '2026-11-01T00:00:00Z',
    summary: 'made for a benchmark',
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: keys
      .filter(({ name }) => names.has(name))
      .map(({ ecosystem, name }) => ({
        package: { ecosystem, name },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }],
      })),
  };
}
