import { rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { pushBlob } from '../registry/testing.ts';
import { type ScrubDeps, scrub, scrubState } from './scrub.ts';
import { readStatus } from './status.ts';
import { DAY, type GcWorld, startGcWorld } from './world.testing.ts';

describe.each(ENGINES)('scrubbing on %s', (engine) => {
  let world: GcWorld;
  let deps: ScrubDeps;
  beforeEach(async () => {
    world = await startGcWorld(engine);
    deps = { ...world.deps, blobs: world.registry.blobs, scrubEveryMs: DAY };
  });
  afterEach(() => world.registry.close());

  const pathOf = (content: string) => world.registry.blobs.localPath?.(digestOf(content)) ?? '';
  const get = (content: string) => world.registry.call('GET', `/v2/back/app/blobs/${digestOf(content)}`);

  it('takes damaged and lost blobs out of service until they are pushed again', async () => {
    for (const content of ['sound', 'damaged', 'lost']) await pushBlob(world.registry, 'back/app', content);
    await pushBlob(world.registry, 'back/app', 'sound', 'sha512');
    await writeFile(pathOf('damaged'), 'damagEd');
    await rm(pathOf('lost'));
    expect(await scrub(deps, { forMs: 60_000 })).toEqual({ checked: 4, bytes: 21, damaged: 2 });
    expect((await readStatus(world.deps)).damaged).toBe(2);
    expect((await get('sound')).status).toBe(200);
    for (const content of ['damaged', 'lost']) {
      expect((await get(content)).status).toBe(404);
      const digest = digestOf(content);
      const mount = await world.registry.call('POST', `/v2/front/b/blobs/uploads/?mount=${digest}&from=back/app`);
      expect(mount.status).toBe(202);
      await pushBlob(world.registry, 'back/app', content);
      expect((await get(content)).body.toString()).toBe(content);
    }
    expect((await deps.ledger.list({ limit: 9 })).map(({ action }) => action)).toEqual([
      'blob.quarantine',
      'blob.quarantine',
    ]);
    expect((await readStatus(world.deps)).damaged).toBe(0);
  });

  it('goes on where it stopped, and begins anew only when it is time', async () => {
    for (let at = 0; at < 5; at += 1) await pushBlob(world.registry, 'back/app', `blob ${at}`);
    for (let at = 1; at <= 4; at += 1) {
      expect(await scrub(deps, { forMs: 0 })).toMatchObject({ checked: 1 });
      expect(await scrubState(deps)).toMatchObject({ checked: at });
    }
    expect(await scrub(deps, { forMs: 60_000 })).toMatchObject({ checked: 1 });
    expect(await scrubState(deps)).toMatchObject({ checked: 5, cursor: '', finishedAt: world.registry.clock.now() });
    expect(await scrub(deps, { forMs: 60_000 })).toMatchObject({ checked: 0 });
    world.registry.clock.advance(DAY);
    expect(await scrub(deps, { forMs: 60_000 })).toMatchObject({ checked: 5 });
    world.registry.clock.advance(DAY);
    expect(await scrub({ ...deps, scrubEveryMs: 0 }, { forMs: 60_000 })).toMatchObject({ checked: 0 });
  });

  it('leaves alone what was pushed again while it was read, and what cannot be read', async () => {
    await pushBlob(world.registry, 'back/app', 'healed');
    await pushBlob(world.registry, 'back/app', 'unreadable');
    await writeFile(pathOf('healed'), 'heaLed');
    const store = world.registry.blobs;
    const blobs = {
      ...store,
      async open(digest: Digest) {
        if (digest === digestOf('unreadable')) throw new Error('input/output error');
        const content = await store.open(digest);
        world.registry.clock.advance(1);
        await pushBlob(world.registry, 'back/app', 'healed');
        return content;
      },
    };
    expect(await scrub({ ...deps, blobs }, { forMs: 60_000 })).toMatchObject({ checked: 2, damaged: 0 });
    expect(await scrubState(deps)).toMatchObject({ unreadable: 1 });
    expect((await get('healed')).body.toString()).toBe('healed');
  });
});
