import { describe, expect, it } from 'vitest';
import { createFactsMemory, type FactsMemory } from '../../facts/memory.ts';
import type { FactsPage, RepositoryFacts } from '../../facts/page.ts';
import { SLOTS } from '../../facts/slots.ts';
import { parseReference } from '../../oci/reference.ts';
import { fixedClock } from '../../platform/clock.ts';
import type { ReferencePolicies } from '../../policy/judge-reference.ts';
import { ageText } from './age.ts';
import { factsSnapshot } from './facts-snapshot.ts';
import { createLinkedFacts } from './linked-facts.ts';

const HOUR = 3_600_000;
const NOW = 1_800_000_000_000;
const digestAt = (at: number): string => `sha256:${at.toString(16).padStart(64, '0')}`;
const HOST = 'registry.example.com';
const [first, second, third] = [1, 2, 3].map((n) => `sha256:${String(n).repeat(64)}`) as [string, string, string];

const page = (over: Partial<FactsPage> = {}): FactsPage => ({
  complete: true,
  cursor: 'c',
  hosts: [HOST, '10.0.0.1:8080'],
  trusted: [],
  upstreams: [],
  repositories: [],
  ...over,
});
const front = (over: Partial<RepositoryFacts>): RepositoryFacts => ({
  name: 'front/app',
  tags: [],
  images: [],
  ...over,
});

function world(asOf: number | undefined = NOW) {
  const memory = createFactsMemory();
  const clock = fixedClock(NOW);
  const facts = createLinkedFacts({ memory, clock, asOf: () => asOf, maxAgeMs: 24 * HOUR, serverHost: HOST });
  const verdictOf = (image: string) => facts.verdicts.verdictOf(parseReference(image));
  return { memory, clock, facts, verdictOf };
}

const snapshotOf = (memory: FactsMemory, loaded: (from: { readonly cursor: string }) => void = () => undefined) =>
  factsSnapshot({ memory, server: 'https://s', now: () => NOW, cursor: () => 'c', asOf: () => NOW, loaded });

/** What a snapshot writes, as JSON. */
function partsOf(memory: FactsMemory): Map<string, unknown> {
  const parts = snapshotOf(memory).parts();
  return new Map(parts.map((part) => [part.key, JSON.parse(JSON.stringify(part.save())) as unknown]));
}

/** What becomes of it in the next guard. */
function restored(parts: ReadonlyMap<string, unknown>) {
  const pages: FactsPage[] = [];
  const memory = createFactsMemory();
  let cursor: string | undefined;
  const noting: FactsMemory = {
    ...memory,
    apply(facts) {
      pages.push(facts);
      memory.apply(facts);
    },
  };
  snapshotOf(noting, (from) => {
    ({ cursor } = from);
  }).load(parts);
  expect(memory.isFilled()).toBe(true);
  return { pages, cursor };
}

describe('what a guard knows of images', () => {
  it('says of images of its registry that nothing is known before the registry answered, and nothing of others', () => {
    const { verdictOf } = world(undefined);
    expect(verdictOf(`${HOST}/front/app:1`)).toEqual({
      kind: 'unknown',
      sentence: `the registry ${HOST} has not told this guard its verdicts yet`,
    });
    expect(verdictOf('nginx')).toBeUndefined();
  });

  it('follows in time what was told with a verdict, without anybody to ask, also after a full account', () => {
    const { memory, clock, verdictOf } = world();
    const tell = (over: Partial<FactsPage>) =>
      memory.apply(
        page({ ...over, repositories: [front({ tags: [['1', first]], images: [[first, 'allow']], later })] }),
      );
    const later: RepositoryFacts['later'] = [
      [
        first,
        [
          [NOW + 5, 'block', 'CVE-2024-1 in musl 1'],
          [NOW + 9, 'warn', 'no fix yet'],
          [NOW + 12, 'allow', ''],
        ],
      ],
    ];
    const kindsThen = [NOW + 4, NOW + 5, NOW + 8, NOW + 9, NOW + 12].map((now) => () => {
      clock.set(now);
      return verdictOf(`${HOST}/front/app:1`);
    });
    const expected = [
      { kind: 'allow', sentence: '' },
      { kind: 'block', sentence: 'CVE-2024-1 in musl 1', since: NOW + 5 },
      { kind: 'block', sentence: 'CVE-2024-1 in musl 1', since: NOW + 5 },
      { kind: 'warn', sentence: 'no fix yet', since: NOW + 9 },
      { kind: 'allow', sentence: '' },
    ];
    tell({ reset: true, covers: 'all' });
    for (const [at, kindThen] of kindsThen.entries()) expect(kindThen()).toMatchObject(expected[at] ?? {});
    // What is kept of it in the cluster says the same to the next guard.
    const again = world();
    const kept = Array.from({ length: SLOTS }, (_, slot) => memory.repositoriesIn(slot)).flat();
    again.memory.apply(page({ reset: true, covers: 'all', repositories: kept }));
    again.clock.set(NOW + 5);
    expect(again.verdictOf(`${HOST}/front/app:1`)).toMatchObject({ kind: 'block' });
    // A new verdict that stays as it is takes what was foreseen away.
    memory.apply(page({ repositories: [front({ images: [[first, 'allow']] })] }));
    clock.set(NOW + 5);
    expect(verdictOf(`${HOST}/front/app:1`)).toMatchObject({ kind: 'allow' });
  });

  it('goes by what policies say of references, also by one that begins to count while nobody can be asked', () => {
    const { memory, clock, verdictOf } = world();
    const rule = (over: object): ReferencePolicies['policy'] => ({
      disallowedTags: { globs: ['latest'], action: 'warn' },
      digestRequired: 'ignore',
      contact: { text: null, link: null },
      ...over,
    });
    const later = rule({ digestRequired: 'block', contact: { text: 'the platform team', link: null } });
    const policies = { policy: rule({}), coming: [{ from: NOW + 5, policy: later }], since: NOW - HOUR };
    const tags: RepositoryFacts['tags'] = [
      ['latest', first],
      ['2', second],
      ['sig', third],
    ];
    const images = [[first, 'allow'] as const, [second, 'block', 1, 'bad'] as const, [third, 'allow'] as const];
    const repositories = [
      front({ tags, images, artifacts: [third] }),
      { ...front({ tags, images }), name: 'back/app' },
    ];
    memory.apply(page({ reset: true, covers: 'all', repositories, references: [{ projects: ['front'], policies }] }));
    const objection = 'the tag latest is not allowed here (latest); use another tag, or the digest';
    const soon = 'a policy that counts from 2027-01-15T08:00:00Z on blocks this';
    const moving = (tag: string) => `the tag ${tag} may move; refer to the image by its digest`;

    const compare = (): void => {
      clock.set(NOW + 4);
      expect(verdictOf(`${HOST}/front/app`)).toEqual({
        kind: 'warn',
        sentence: `${objection}; ${moving('latest')}; ${soon}`,
        since: NOW - HOUR,
      });
      expect(verdictOf(`${HOST}/front/app:2`)).toEqual({ kind: 'block', sentence: 'bad', since: 1 });
      clock.set(NOW + 5);
      expect(verdictOf(`${HOST}/front/app:latest`)).toEqual({
        kind: 'block',
        sentence: `${moving('latest')}; ask the platform team`,
        since: NOW + 5,
      });
      expect(verdictOf(`${HOST}/front/app:2`)).toEqual({ kind: 'block', sentence: `${moving('2')}; bad`, since: 1 });
      for (const settled of [`front/app:latest@${first}`, `front/app@${first}`, 'front/app:sig', 'back/app'])
        expect(verdictOf(`${HOST}/${settled}`)).toEqual({ kind: 'allow', sentence: '' });
    };
    compare();

    // As a snapshot in the cluster keeps it.
    const parts = partsOf(memory);
    const again = restored(parts);
    expect(again.cursor).toBe('c');
    memory.apply(page({ reset: true, covers: 'all' }));
    expect(verdictOf(`${HOST}/front/app`)?.kind).toBe('unknown');
    for (const facts of again.pages) memory.apply(facts);
    compare();

    // One of a guard that did not know of it holds what it held, and everything is to be told anew.
    const head = structuredClone(parts.get('head')) as { page: Record<string, unknown> };
    delete head.page['references'];
    expect(restored(new Map([...parts, ['head', head]])).cursor).toBe('anew');
  });

  it('tells verdicts by tag and digest under every host of the registry, and since when', () => {
    const { memory, verdictOf, facts } = world();
    const images = [[first, 'block', NOW - HOUR, 'CVE-2024-1 in musl 1'] as const, [second, 'allow'] as const];
    memory.apply(
      page({
        reset: true,
        covers: ['front'],
        repositories: [
          front({
            tags: [
              ['1', first],
              ['latest', second],
            ],
            images,
          }),
        ],
      }),
    );
    const blocked = { kind: 'block', sentence: 'CVE-2024-1 in musl 1', since: NOW - HOUR };
    expect(verdictOf(`${HOST}/front/app:1`)).toEqual(blocked);
    expect(verdictOf(`10.0.0.1:8080/front/app:9@${first}`)).toEqual(blocked);
    expect(verdictOf(`${HOST}/front/app`)?.kind).toBe('allow');
    expect(facts.digests.digestOf(parseReference(`${HOST}/front/app`))).toBe(second);
    expect(facts.digests.digestOf(parseReference(`nginx@${third}`))).toBe(third);
    expect(verdictOf('docker.io/front/app:1')).toBeUndefined();
  });

  it('names why it cannot tell: not judged, no such image, not followed, too old', () => {
    const { memory, verdictOf, clock } = world();
    const images = [[first, 'unjudged'] as const, [second, 'block', 1, 'bad'] as const];
    memory.apply(
      page({
        reset: true,
        covers: ['front'],
        repositories: [
          front({
            tags: [
              ['1', first],
              ['2', second],
            ],
            images,
          }),
        ],
      }),
    );
    clock.advance(90_000);
    expect(verdictOf(`${HOST}/front/app:1`)?.sentence).toBe(
      `the registry ${HOST} has not judged it yet (as of 1 min ago)`,
    );
    expect(verdictOf(`${HOST}/front/app:9`)?.sentence).toBe(`the registry ${HOST} has no such image (as of 1 min ago)`);
    expect(verdictOf(`${HOST}/back/app:9`)?.sentence).toBe(
      `this guard does not follow the project back of ${HOST} (as of 1 min ago)`,
    );
    clock.set(NOW + 24 * HOUR);
    expect(verdictOf(`${HOST}/front/app:2`)?.kind).toBe('block');
    clock.set(NOW + 27 * HOUR);
    expect(verdictOf(`${HOST}/front/app:2`)).toEqual({
      kind: 'unknown',
      sentence: `the verdicts of the registry ${HOST} are 1 day old, and count for 1 day`,
    });
  });

  it('tells of content under quarantine whatever registry it comes from and however old that is, until it is over', () => {
    const { memory, verdictOf, clock } = world();
    const images = [[first, 'block', 1, 'pkg 1 in it is quarantined'] as const, [second, 'block', 1, 'bad'] as const];
    memory.apply(
      page({
        reset: true,
        covers: ['front'],
        quarantined: [[third, 5, 'quarantined since yesterday (INC-1): bad']],
        repositories: [front({ tags: [['1', first]], images, quarantined: [first] })],
      }),
    );
    const content = {
      kind: 'block',
      quarantined: true,
      since: 5,
      sentence: 'quarantined since yesterday (INC-1): bad',
    };
    const packaged = { kind: 'block', quarantined: true, since: 1, sentence: 'pkg 1 in it is quarantined' };
    clock.set(NOW + 240 * HOUR);
    expect(verdictOf(`nginx@${third}`)).toEqual(content);
    expect(verdictOf(`${HOST}/back/other@${third}`)).toEqual(content);
    expect(verdictOf(`${HOST}/front/app:1`)).toEqual(packaged);
    expect(verdictOf(`${HOST}/front/app@${second}`)?.kind).toBe('unknown');
    expect(verdictOf('nginx')).toBeUndefined();

    // As a snapshot keeps it.
    const copy = createFactsMemory();
    const head = memory.head();
    copy.apply(page({ ...head, covers: ['front'], reset: true, complete: false }));
    copy.apply(page({ repositories: Array.from({ length: SLOTS }, (_, slot) => memory.repositoriesIn(slot)).flat() }));
    expect(copy.quarantineOf(parseReference(`nginx@${third}`))).toEqual(content);
    expect(copy.quarantineOf(parseReference(`${HOST}/front/app:1`))).toEqual(packaged);

    memory.apply(page({ quarantined: [[third, null]], repositories: [front({ images: [[first, 'allow']] })] }));
    clock.set(NOW);
    expect(verdictOf(`nginx@${third}`)).toBeUndefined();
    expect(verdictOf(`${HOST}/front/app:1`)?.kind).toBe('allow');
  });

  it('forgets what is removed, in whatever order it is told', () => {
    const { memory, verdictOf } = world();
    memory.apply(page({ reset: true, covers: 'all', repositories: [front({ tags: [['1', first]] })] }));
    memory.apply(page({ repositories: [front({ images: [[first, 'warn', 1, 'w']] })] }));
    expect(verdictOf(`${HOST}/front/app:1`)?.kind).toBe('warn');
    memory.apply(page({ repositories: [front({ images: [[first, null]] })] }));
    expect(verdictOf(`${HOST}/front/app:1`)?.kind).toBe('unknown');
    memory.apply(page({ repositories: [front({ images: [[first, 'block', 1, 'b']] })] }));
    expect(verdictOf(`${HOST}/front/app:1`)?.kind).toBe('block');
    memory.apply(page({ repositories: [front({ gone: true, tags: [['2', first]] })] }));
    expect([verdictOf(`${HOST}/front/app:1`)?.kind, verdictOf(`${HOST}/front/app@${first}`)?.kind]).toEqual([
      'unknown',
      'unknown',
    ]);
    memory.apply(page({ repositories: [front({ tags: [['2', null]] })] }));
    expect(memory.images()).toBe(0);
  });

  it('keeps what it knew while a new full account is not complete', () => {
    const { memory, verdictOf } = world();
    memory.apply(
      page({
        reset: true,
        covers: 'all',
        repositories: [front({ tags: [['1', first]], images: [[first, 'block', 1, 'b']] })],
      }),
    );
    memory.apply(page({ reset: true, covers: 'all', complete: false }));
    expect(verdictOf(`${HOST}/front/app:1`)?.kind).toBe('block');
    memory.apply(page({ complete: true }));
    expect(verdictOf(`${HOST}/front/app:1`)?.kind).toBe('unknown');
  });

  it('knows copies of foreign images by the mirror projects and what is stored there', () => {
    const { memory, facts } = world();
    const copyOf = (image: string) => facts.mirrors.addressOf(parseReference(image));
    memory.apply(
      page({
        reset: true,
        covers: 'all',
        upstreams: [
          { project: 'hub', place: { registry: 'docker.io', prefix: '' } },
          { project: 'q', place: { registry: 'quay.io', prefix: 'team' } },
        ],
        repositories: [
          { name: 'hub/nginx', tags: [['1', first]], images: [[first, 'allow']] },
          { name: 'q/app', tags: [], images: [[second, 'allow']] },
        ],
      }),
    );
    expect(copyOf('nginx:1')).toBe(`${HOST}/hub/nginx:1`);
    expect(copyOf('nginx:2')).toBeUndefined();
    expect(copyOf(`quay.io/team/app@${second}`)).toBe(`${HOST}/q/app@${second}`);
    expect(copyOf(`quay.io/other/app@${second}`)).toBeUndefined();
    memory.apply(page({ upstreams: [{ project: 'hub', place: null }] }));
    expect(copyOf('nginx:1')).toBeUndefined();
  });

  it('answers about one of a hundred thousand images fast', () => {
    const { memory, facts } = world();
    const repositories = Array.from(
      { length: 1000 },
      (_, at): RepositoryFacts => ({
        name: `front/app${at}`,
        tags: Array.from({ length: 100 }, (_, tag) => [String(tag), digestAt(at * 100 + tag)]),
        images: Array.from({ length: 100 }, (_, tag) =>
          tag % 10 === 0 ? [digestAt(at * 100 + tag), 'block', 1, 'bad'] : [digestAt(at * 100 + tag), 'allow'],
        ),
      }),
    );
    memory.apply(page({ reset: true, covers: 'all', repositories }));
    expect(memory.images()).toBe(100_000);
    const references = Array.from({ length: 1000 }, (_, at) => parseReference(`${HOST}/front/app${at}:${at % 100}`));
    let blocked = 0;
    const rounds = 300;
    const began = process.cpuUsage();
    for (let round = 0; round < rounds; round += 1)
      for (const reference of references) if (facts.verdicts.verdictOf(reference)?.kind === 'block') blocked += 1;
    const perLook = process.cpuUsage(began).user / (rounds * references.length);
    process.stdout.write(`a look at a verdict takes ${perLook.toFixed(3)} µs of CPU among 100,000 images\n`);
    expect(blocked).toBe(rounds * 100);
  });

  it.each([
    [0, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3 * HOUR, '3 h'],
    [24 * HOUR, '1 day'],
    [72 * HOUR, '3 days'],
    [-5, '0 s'],
  ])('says %d ms as %s', (ms, text) => expect(ageText(ms)).toBe(text));
});
