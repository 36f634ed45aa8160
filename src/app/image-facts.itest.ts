import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { mirrorsDockerHub } from '../../test/support/upstream.ts';
import { SYSTEM } from '../auth/principal.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { NOTED_TABLES } from '../db/settled-changes.ts';
import { createFeed, type Feed } from '../facts/feed.ts';
import { createLedger } from '../ledger/ledger.ts';
import { placeOfUpstream } from '../mirror/mirrored-address.ts';
import { parseReference } from '../oci/reference.ts';
import { silentLogger } from '../platform/logger.ts';
import { createPolicyStore } from '../projects/policy-store.ts';
import { ALPINE, advisoriesOf, createWorld, type World } from '../verdicts/world.testing.ts';
import { createImageFacts, type OwnImageFacts } from './image-facts.ts';

const HOST = 'registry.example.com';
const LAYERS = [{ distribution: '3.23', packages: ['musl@1'] }];

describe.each(ENGINES)('facts about our own images on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: World;
  let feed: Feed;
  let facts: OwnImageFacts;
  let reads = 0;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    world = await createWorld(handle);
    world.state.advisories = advisoriesOf({
      [`${ALPINE}/musl`]: [{ id: 'CVE-2024-1', fixed: '2', severity: 'critical' }],
    });
    feed = createFeed({
      database: handle,
      clock: world.clock,
      logger: silentLogger,
      hosts: [HOST],
      placeOf: placeOfUpstream,
    });
    facts = open();
    reads = 0;
  });
  afterEach(async () => {
    feed.close();
    await facts.close();
    await world.verdicts.close();
    await handle.close();
  });

  const open = (mostImages?: number) =>
    createImageFacts({
      db: handle.db,
      feed,
      state: handle.stateOf(...NOTED_TABLES),
      clock: world.clock,
      logger: silentLogger,
      host: HOST,
      ...(mostImages === undefined ? {} : { mostImages }),
      verdicts: {
        verdictByReference(reference) {
          reads += 1;
          return world.verdicts.verdictByReference(reference);
        },
      },
    });
  const image = parseReference(`${HOST}/front/app:1`);

  async function untilInMemory(): Promise<void> {
    for (;;) {
      const answer = facts.factsAbout([image]);
      if (!(answer instanceof Promise)) return;
      await answer;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  it('are the same from the database and from memory, and memory reads nothing', async () => {
    const { digest } = await world.push('front/app', LAYERS, '1');
    const first = await facts.factsAbout([image]);
    expect(first.verdicts.verdictOf(image)).toMatchObject({ kind: 'block' });
    await untilInMemory();
    reads = 0;
    const second = await facts.factsAbout([image]);
    expect(reads).toBe(0);
    expect(second.verdicts.verdictOf(image)).toMatchObject(first.verdicts.verdictOf(image)!);
    expect(second.verdicts.verdictOf(image)?.since).toBe(world.clock.now());
    for (const one of [first, second]) {
      expect(one.digests.digestOf(image)).toBe(digest);
      expect(one.verdicts.verdictOf(parseReference(`${HOST}/front/none:1`))).toBeUndefined();
      expect(one.verdicts.verdictOf(parseReference('docker.io/front/app:1'))).toBeUndefined();
    }
  });

  it('follow what is pushed, and copies of mirrors', async () => {
    await world.push('front/app', LAYERS, '1');
    await untilInMemory();
    await mirrorsDockerHub(handle, 'back');
    await world.push('back/nginx', LAYERS, '1');
    const next = parseReference(`${HOST}/front/app:2`);
    await world.push('front/app', [{ distribution: '3.23', packages: ['musl@3'] }], '2');
    const nginx = parseReference('nginx:1');
    const until = performance.now() + 20_000;
    for (;;) {
      const { verdicts, mirrors } = await facts.factsAbout([next, nginx]);
      // Where a write is seen at once, so is what was written.
      if (verdicts.verdictOf(next)?.kind === 'allow' && mirrors.addressOf(nginx) === `${HOST}/back/nginx:1`) break;
      expect(engine === 'sqlite' || performance.now() > until, 'too old').toBe(false);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  it('go by a change of policy at once, before anything is judged again', async () => {
    const ledger = createLedger({ db: handle.db, clock: world.clock });
    const policies = createPolicyStore({ db: handle.db, clock: world.clock, ledger });
    world.restart({ policies });
    await world.push('front/app', [{ distribution: '3.23', packages: ['musl@3'] }], '1');
    await untilInMemory();
    const disallowedTags = { globs: ['1'], action: 'block' };
    await policies.set(SYSTEM, { id: 'front', name: 'front' }, { disallowedTags }, { reason: 'a test' });
    const until = performance.now() + 20_000;
    for (;;) {
      const { verdicts } = await facts.factsAbout([image]);
      if (verdicts.verdictOf(image)?.sentence.startsWith('the tag 1 is not allowed here')) break;
      expect(engine === 'sqlite' || performance.now() > until, 'too old').toBe(false);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  it('are read from the database where there are too many images', async () => {
    await facts.close();
    facts = open(0);
    await world.push('front/app', LAYERS, '1');
    for (let times = 0; times < 3; times += 1) {
      const answer = facts.factsAbout([image]);
      expect(answer).toBeInstanceOf(Promise);
      expect((await answer).verdicts.verdictOf(image)).toMatchObject({ kind: 'block' });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  });
});
