import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dividePages } from './divide-pages.ts';
import type { Subject } from './subjects.ts';

const subject = (repositoryId: string, digest: number) =>
  ({ repositoryId, digest: String(digest) }) as unknown as Subject;

async function* each(pages: readonly (readonly Subject[])[], failsAt?: number) {
  for (const [at, page] of pages.entries()) {
    if (at === failsAt) throw new Error('the database is away');
    yield page;
  }
  return undefined;
}

it('gives each page once, and all of a repository to one in its order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(120), { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }),
      async (sizes, ways, size, pauses) => {
        const all = sizes.flatMap((count, at) =>
          Array.from({ length: count }, (_, number) => subject(`r${at}`, number)),
        );
        const pages = Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
          all.slice(at * size, (at + 1) * size),
        );
        const got = dividePages(each(pages), ways).ways.map(async (way, at) => {
          const own: Subject[] = [];
          for await (const page of way) {
            own.push(...page);
            if (pauses[at]) await delay(0);
          }
          return own;
        });
        const taken = await Promise.all(got);
        const places = new Map<string, number>();
        for (const [at, own] of taken.entries()) {
          const positions = own.map((one) => all.indexOf(one));
          expect(positions).toEqual([...positions].sort((a, b) => a - b));
          for (const { repositoryId } of own) {
            expect(places.get(repositoryId) ?? at).toBe(at);
            places.set(repositoryId, at);
          }
        }
        expect(taken.flat()).toHaveLength(all.length);
      },
    ),
    { numRuns: 60 },
  );
});

it('keeps two busy when repositories are large', async () => {
  const pages = ['a', 'b', 'c', 'd'].flatMap((name) => [0, 1, 2, 3].map((at) => [subject(name, at)]));
  const [one, other] = dividePages(each(pages), 2).ways;
  const first = [await one?.next(), await other?.next()];
  expect(first.map((page) => page?.value?.[0]?.repositoryId)).toEqual(['a', 'b']);
});

it('tells of pages that cannot be read, and lets nobody wait when one gives up', async () => {
  const broken = dividePages(each([[subject('a', 1)]], 0), 2);
  await expect(Promise.all(broken.ways.map((way) => way.next()))).rejects.toThrow('the database is away');
  // All that there is waits for somebody who does not come.
  const { ways, stop } = dividePages(each(Array.from({ length: 500 }, (_, at) => [subject('a', at)])), 2);
  expect((await ways[0]?.next())?.done).toBe(false);
  const waits = ways[1]?.next();
  stop();
  expect((await waits)?.done).toBe(true);
});
