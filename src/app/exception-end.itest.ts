import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { NOTED_TABLES } from '../db/settled-changes.ts';
import { createFeed, type Feed } from '../facts/feed.ts';
import { createFactsMemory } from '../facts/memory.ts';
import { EVERYTHING } from '../facts/scope.ts';
import { createLinkedFacts } from '../guard/link/linked-facts.ts';
import { placeOfUpstream } from '../mirror/mirrored-address.ts';
import { parseReference } from '../oci/reference.ts';
import { silentLogger } from '../platform/logger.ts';
import type { ManifestSubject } from '../registry/ports.ts';
import { ALPINE, advisoriesOf, createWorld, DAY, NOW } from '../verdicts/world.testing.ts';
import { createImageFacts } from './image-facts.ts';

const HOST = 'registry.example.com';
const END = NOW + 3 * DAY;
const image = parseReference(`${HOST}/front/app:1`);

const SURFACES = ['gate', 'command line and API', 'list', 'webhook', 'guard without its server'];
/** Whoever says whether the image may run. */
type Surfaces = Readonly<Record<string, () => Promise<boolean>>>;

describe.each(ENGINES)('the end of an exception on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: Awaited<ReturnType<typeof createWorld>>;
  let feed: Feed;
  let subject: ManifestSubject;
  let surfaces: Surfaces;
  let close: () => Promise<void>;

  beforeEach(async () => {
    handle = await freshDatabase(engine);
    world = await createWorld(handle);
    const { verdicts } = world;
    world.state.advisories = advisoriesOf({
      [`${ALPINE}/musl`]: [{ id: 'CVE-2024-1', fixed: '2', severity: 'critical' }],
    });
    world.state.exceptions = [{ id: 'e1', vulnerability: 'CVE-2024-1', from: NOW, until: END }];
    subject = await world.push('front/app', [{ distribution: '3.23.0', packages: ['musl@1'] }], '1');
    feed = createFeed({
      database: handle,
      clock: world.clock,
      logger: silentLogger,
      hosts: [HOST],
      placeOf: placeOfUpstream,
    });
    const memory = createFactsMemory();
    let cursor: string | undefined;
    do {
      const page = await feed.read({ scope: EVERYTHING, cursor, waitMs: 0 });
      memory.apply(page);
      ({ cursor } = page);
    } while (!memory.isFilled());
    const guard = createLinkedFacts({
      memory,
      clock: world.clock,
      asOf: () => NOW,
      maxAgeMs: 9 * DAY,
      serverHost: HOST,
    });
    const state = handle.stateOf(...NOTED_TABLES);
    const webhook = createImageFacts({
      db: handle.db,
      feed,
      state,
      verdicts,
      clock: world.clock,
      logger: silentLogger,
      host: HOST,
    });
    close = () => webhook.close();
    surfaces = {
      gate: async () => (await world.pull(subject)).kind === 'serve',
      'command line and API': async () => (await world.verdictOf(subject))?.kind !== 'block',
      list: async () => (await verdicts.list({ limit: 9, kind: 'block' })).length === 0,
      webhook: async () => (await webhook.factsAbout([image])).verdicts.verdictOf(image)?.kind !== 'block',
      'guard without its server': async () => guard.verdicts.verdictOf(image)?.kind !== 'block',
    };
  });
  afterEach(async () => {
    feed.close();
    await close();
    await world.verdicts.close();
    await handle.close();
  });

  /** Who lets the image pass. Nobody works in between: no job runs, and nothing is judged that nobody asks for. */
  async function letting(names: readonly string[]): Promise<string[]> {
    const passing: string[] = [];
    for (const name of names) if (await surfaces[name]?.()) passing.push(name);
    return passing;
  }

  it.each(SURFACES)('is that very millisecond at the %s, asked first, and then everywhere', async (first) => {
    expect(Object.keys(surfaces)).toEqual(SURFACES);
    world.clock.set(END - 1);
    expect(await letting(SURFACES)).toEqual(SURFACES);
    world.clock.set(END);
    expect(await letting([first])).toEqual([]);
    expect(await letting(SURFACES)).toEqual([]);
  });
});
