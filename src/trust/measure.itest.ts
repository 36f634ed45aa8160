import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { mirrorsDockerHub } from '../../test/support/upstream.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { placeOfUpstream } from '../mirror/mirrored-address.ts';
import { parseReference } from '../oci/reference.ts';
import { ALPINE, advisoriesOf, createWorld, DAY, NOW, type World } from '../verdicts/world.testing.ts';
import { losesTrust } from './losses.ts';
import { parseEntry } from './match/entry.ts';
import { measure } from './measure.ts';
import { describeMeasured } from './measured.ts';

const base = { distribution: '3.23.3', packages: ['musl@1.2.5-r0'] };
const worse = { distribution: '3.23.3', packages: ['musl@1.2.5-r0', 'busybox@1.36.1-r28'] };
const fixed = { distribution: '3.23.3', packages: ['musl@1.2.5-r0', 'busybox@1.36.1-r29'] };
const facts = { [`${ALPINE}/busybox`]: [{ id: 'CVE-2024-1', fixed: '1.36.1-r29', severity: 'high' as const }] };

describe.each(ENGINES)('what is known of a source on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: World;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    world = await createWorld(handle);
    world.state.advisories = advisoriesOf(facts);
  });
  afterEach(async () => {
    await world.verdicts.close();
    await handle.close();
  });

  const measured = (entry: string, running: readonly string[] = [], projects: 'all' | ReadonlySet<string> = 'all') =>
    measure(
      { db: handle.db, projects, now: world.clock.now(), hosts: ['registry.example.com'], placeOf: placeOfUpstream },
      parseEntry(entry),
      running.map((image) => parseReference(image)),
    );

  it('counts what is stored, signed and running, and how soon a fix came', async () => {
    const first = await world.push('front/app', [worse], '1');
    world.clock.advance(3 * DAY);
    await world.push('front/app', [fixed], '2');
    await world.push('back/app', [base], '1');
    world.clock.advance(DAY);
    await handle.db
      .insertInto('tags')
      .values({
        repository_id: first.repositoryId,
        name: `${first.digest.replace(':', '-')}.sig`,
        digest: first.digest,
        updated_at: NOW,
      })
      .execute();
    const found = await measured('registry.example.com/front/', [
      'registry.example.com/front/app:1',
      'registry.example.com/back/app:1',
      'nginx',
    ]);
    expect(found).toEqual({
      at: NOW + 4 * DAY,
      images: 2,
      repositories: 1,
      running: 1,
      signed: 1,
      newestAt: NOW + 3 * DAY,
      findings: {},
      fixable: 0,
      daysToFix: { median: 3, fixes: 1 },
    });
    expect(describeMeasured(found)).toBe(
      'Measured: 2 images stored in 1 repository, the newest came 1 day ago; 1 image running; 1 of 2 signed (not verified); ' +
        'newest images: 0 critical, 0 high, 0 medium, 0 low, 0 fixable; 3 days from a known fix to an image with it (median of 1).',
    );
    expect(await measured('registry.example.com', ['nginx'])).toMatchObject({ images: 3, repositories: 2, running: 0 });
    expect(await measured('registry.example.com/front/app:1', ['registry.example.com/front/app:1'])).toMatchObject({
      images: 1,
      running: 1,
      findings: { high: 1 },
      fixable: 1,
    });
    expect(await measured(`registry.example.com/front/app@${first.digest}`)).toMatchObject({ images: 1 });
    expect(await measured('registry.example.com/front/app:9')).toMatchObject({ images: 0 });
  });

  it('says of projects that are not looked into what it says where nothing is stored', async () => {
    await world.push('front/app', [worse], '1');
    await world.push('back/app', [worse], '1');
    const running = ['registry.example.com/front/app:1', 'registry.example.com/back/app:1', 'nginx'];
    const front = new Set(['front']);
    const nothing = await measured('registry.example.com/none/', running, front);
    expect(nothing).toMatchObject({ images: 0, running: 0, findings: {} });
    expect(await measured('registry.example.com/back/', running, front)).toEqual(nothing);
    expect(await measured('registry.example.com/back/app:1', running, front)).toEqual(nothing);
    expect(await measured('registry.example.com', running, front)).toMatchObject({ images: 1, running: 1, fixable: 1 });
    expect(await measured('nginx', running, front)).toMatchObject({ running: 1 });
    expect(await measured('registry.example.com', running)).toMatchObject({ images: 2, running: 2 });
  });

  it('finds mirrored images under the names of their upstream', async () => {
    await mirrorsDockerHub(handle, 'back');
    await world.push('back/library/nginx', [base], '1');
    await world.push('back/redis', [base, { packages: [] }], '1');
    expect(await measured('nginx')).toMatchObject({ images: 1 });
    expect(await measured('docker.io/library/redis')).toMatchObject({ images: 1 });
    expect(await measured('docker.io')).toMatchObject({ images: 2 });
    expect(await measured('quay.io')).toMatchObject({ images: 0, repositories: 0 });
    expect(await measured('registry.example.com')).toMatchObject({ images: 0 });
    expect(describeMeasured(await measured('quay.io', ['quay.io/a/b']))).toBe(
      'Measured: nothing of it is stored here; 1 image of it running.',
    );
  });
});

describe('what a retired source takes with it', () => {
  it('is what no other entry covers', () => {
    const loses = losesTrust(['quay.io', 'quay.io/acme/', 'ghcr.io'], new Set(['quay.io']));
    const of = (image: string) => loses(parseReference(image));
    expect([of('quay.io/other/x'), of('quay.io/acme/x'), of('ghcr.io/x/y'), of('nginx')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
