import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { fixedClock } from '../../platform/clock.ts';
import { silentLogger } from '../../platform/logger.ts';
import { configMaps } from './config-maps.testing.ts';
import { createSnapshot, type Snapshot } from './snapshot.ts';

const NAME = 'breakwater-guard-snapshot';
const NOW = 1_800_000_000_000;

let maps: ReturnType<typeof configMaps>;
let clock: ReturnType<typeof fixedClock>;
beforeEach(() => {
  maps = configMaps();
  clock = fixedClock(NOW);
});

interface Replica {
  readonly snapshot: Snapshot;
  values: Record<string, unknown>;
  loaded: Record<string, unknown>;
  leads: boolean;
  readonly said: string[];
}

/** A guard with the section `one`, and `many` in parts. */
function replica(values: Record<string, unknown>): Replica {
  const said: string[] = [];
  const self: Replica = {
    values,
    loaded: {},
    leads: true,
    said,
    snapshot: createSnapshot({
      client: maps.client,
      clock,
      logger: {
        ...silentLogger,
        error: (_fields: unknown, message?: string) => void said.push(message ?? ''),
      },
      namespace: 'breakwater-system',
      isLeader: () => self.leads,
    }),
  };
  self.snapshot.section('one', {
    save: () => self.values['one'],
    load: (value) => {
      if (value === 'refused') throw new Error('not this');
      self.loaded['one'] = value;
    },
  });
  self.snapshot.inParts('many', {
    parts: () =>
      Object.entries(self.values)
        .filter(([key]) => key !== 'one')
        .map(([key, value]) => ({ key, version: JSON.stringify(value), save: () => value })),
    load: (parts) => void Object.assign(self.loaded, Object.fromEntries(parts)),
  });
  return self;
}

async function restarted(): Promise<Replica & { outcome: string }> {
  const next = replica({});
  const outcome = await next.snapshot.load();
  return { ...next, outcome };
}

const large = (bytes: number): string => randomBytes(bytes / 2).toString('hex');

describe('the snapshot in the cluster', () => {
  it.each([
    ['whose pieces are too many', large(3_000_000)],
    ['that grows too large when it is read', 'x'.repeat(3_000_000)],
  ])('passes over a part %s, says so once, and reads the others', async (_what, value) => {
    const guard = replica({ one: value, a: 1 });
    await guard.snapshot.write();
    const said: string[] = [];
    const loaded: unknown[] = [];
    const snapshot = createSnapshot({
      client: maps.client,
      clock,
      logger: { ...silentLogger, warn: (_fields: unknown, message?: string) => void said.push(message ?? '') },
      namespace: 'breakwater-system',
      isLeader: () => true,
    });
    snapshot.section('one', { save: () => 1, load: (one) => void loaded.push(one), largest: 1_000_000 });
    snapshot.inParts('many', { parts: () => [], load: (parts) => void loaded.push(Object.fromEntries(parts)) });
    maps.reads = 0;
    expect(await snapshot.load()).toBe('loaded');
    expect(loaded).toEqual([{ a: 1 }]);
    expect(said).toEqual(['a part of the snapshot is too large to be read and is passed over']);
    expect(maps.reads).toBeLessThan(5);
  });

  it('gives back after a restart what was kept, large things in several pieces', async () => {
    const values = { one: { x: 1 }, a: large(3_000_000), b: ['é'] };
    const guard = replica(values);
    expect(await guard.snapshot.load()).toBe('absent');
    expect(await guard.snapshot.write()).toBeGreaterThan(3);
    const { outcome, loaded } = await restarted();
    expect([outcome, loaded]).toEqual(['loaded', values]);
    for (const { metadata, binaryData } of maps.objects.values())
      expect(Buffer.from(binaryData?.['chunk'] ?? '', 'base64').byteLength, metadata.name).toBeLessThanOrEqual(900_000);
  });

  it('writes what has changed and nothing else, and only as the leader', async () => {
    const guard = replica({ one: 1, a: large(10_000), b: 2 });
    guard.leads = false;
    expect(await guard.snapshot.write()).toBe(0);
    expect(maps.state.writes).toEqual([]);
    guard.leads = true;
    expect(await guard.snapshot.write()).toBe(3);
    maps.state.writes.length = 0;
    expect(await guard.snapshot.write()).toBe(0);
    expect(maps.state.writes).toEqual([]);
    guard.values['b'] = 3;
    expect(await guard.snapshot.write()).toBe(1);
    expect(maps.state.writes).toHaveLength(2);
    // Another replica that comes to lead with the same knowledge.
    const other = replica(guard.values);
    maps.state.writes.length = 0;
    expect(await other.snapshot.write()).toBe(0);
    expect(maps.state.writes).toEqual([]);
  });

  it('removes the pieces of the one before the one before, and what interrupted writes have left', async () => {
    const guard = replica({ one: 1, a: 0 });
    for (let at = 1; at <= 5; at += 1) {
      guard.values['a'] = at;
      await guard.snapshot.write();
    }
    expect(maps.objects.size).toBe(1 + 3);
    const [orphan] = [...maps.objects.values()].filter(({ metadata }) => metadata.name !== NAME);
    maps.objects.set(`${NAME}-${'0'.repeat(32)}`, {
      ...orphan!,
      metadata: { ...orphan!.metadata, name: `${NAME}-${'0'.repeat(32)}` },
    });
    clock.advance(2 * 3_600_000);
    guard.values['a'] = 6;
    await guard.snapshot.write();
    expect(maps.objects.has(`${NAME}-${'0'.repeat(32)}`)).toBe(false);
    expect((await restarted()).loaded).toEqual({ one: 1, a: 6 });
  });

  it('is one of two whole states whenever the API server goes away in the middle of a write', async () => {
    const [before, after] = [
      { one: 1, a: large(20_000), b: 1 },
      { one: 2, a: large(2_000_000), b: 2 },
    ];
    const guard = replica(before);
    await guard.snapshot.write();
    const start = maps.state.writes.length;
    const outcomes = new Set<unknown>();
    for (let count = 0; count < 8; count += 1) {
      guard.values = count % 2 === 0 ? after : before;
      maps.state.failAfter = maps.state.writes.length + count;
      await guard.snapshot.write();
      maps.state.failAfter = Number.POSITIVE_INFINITY;
      const { outcome, loaded } = await restarted();
      expect(outcome).toBe('loaded');
      expect([before, after]).toContainEqual(loaded);
      outcomes.add(loaded['one']);
    }
    expect(maps.state.writes.length).toBeGreaterThan(start);
    expect(outcomes).toEqual(new Set([1, 2]));
  });

  it('lets the replica that was faster win, and goes on from there', async () => {
    const [one, other] = [replica({ one: 1 }), replica({ one: 2 })];
    await Promise.all([one.snapshot.write(), other.snapshot.write()]);
    expect([1, 2]).toContain((await restarted()).loaded['one']);
    await one.snapshot.write();
    // Whoever won has nothing to write until something changes.
    other.values = { one: 3 };
    await other.snapshot.write();
    expect((await restarted()).loaded['one']).toBe(3);
  });

  it('uses the one before when a piece is damaged, and says so', async () => {
    const guard = replica({ one: 1, a: 1 });
    await guard.snapshot.write();
    guard.values = { one: 2, a: 2 };
    await guard.snapshot.write();
    const manifest = JSON.parse(maps.objects.get(NAME)?.data?.['manifest'] ?? '') as {
      current: { parts: Record<string, string[]> };
    };
    const [piece] = manifest.current.parts['many/a'] ?? [];
    maps.objects.get(`${NAME}-${piece}`)!.binaryData!['chunk'] = Buffer.from('hostile').toString('base64');
    const { outcome, loaded, said } = await restarted();
    expect([outcome, loaded]).toEqual(['loaded', { one: 1, a: 1 }]);
    expect(said).toEqual(['the snapshot in the cluster is damaged; the one before is used']);
    // Whoever knows of it repairs it.
    const next = replica({ one: 3, a: 2 });
    await next.snapshot.load();
    await next.snapshot.write();
    expect((await restarted()).loaded).toEqual({ one: 3, a: 2 });
  });

  it('makes pieces again that somebody has removed', async () => {
    const guard = replica({ one: 1, a: 1 });
    await guard.snapshot.write();
    for (const name of maps.objects.keys()) if (name !== NAME) maps.objects.delete(name);
    clock.advance(2 * 3_600_000);
    await guard.snapshot.write();
    expect((await restarted()).loaded).toEqual({ one: 1, a: 1 });
  });

  it('keeps the other sections when one refuses what it is given', async () => {
    await replica({ one: 'refused', a: 1 }).snapshot.write();
    const { outcome, loaded, said } = await restarted();
    expect([outcome, loaded]).toEqual(['ignored', { a: 1 }]);
    expect(said).toEqual(['a part of the snapshot is ignored']);
  });

  it('ignores whatever else is there, loudly and without falling over, and writes over it', async () => {
    const piece = 'a'.repeat(32);
    const manifests = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc
        .record({
          format: fc.constantFrom<unknown>(1, 2, 'x'),
          current: fc.record({
            writtenAt: fc.constantFrom<unknown>(NOW, -1, 'x'),
            parts: fc.constantFrom<unknown>(
              { 'one/': [piece] },
              { 'one/': [] },
              { 'one/': ['../../secrets/x'] },
              { 'one/': Array.from({ length: 5000 }, () => piece) },
              { 'many/__proto__': [piece], __proto__: [piece] },
              [],
              null,
            ),
          }),
        })
        .map((value) => JSON.stringify(value)),
    );
    const content = fc.oneof(
      fc.constant(undefined),
      fc.string(),
      fc.base64String(),
      fc.constant(Buffer.alloc(100, 31).toString('base64')),
    );
    await fc.assert(
      fc.asyncProperty(manifests, content, async (manifest, chunk) => {
        maps = configMaps();
        maps.objects.set(NAME, { metadata: { name: NAME, resourceVersion: '1' }, data: { manifest } });
        if (chunk !== undefined)
          maps.objects.set(`${NAME}-${piece}`, {
            metadata: { name: `${NAME}-${piece}`, resourceVersion: '1' },
            binaryData: { chunk },
          });
        const { outcome, loaded, said } = await restarted();
        expect(loaded).toEqual({});
        expect(['ignored', 'loaded']).toContain(outcome);
        if (outcome === 'ignored') expect(said).toHaveLength(1);
        await replica({ one: 7 }).snapshot.write();
        expect((await restarted()).loaded).toEqual({ one: 7 });
      }),
      { numRuns: 150 },
    );
  });
});
