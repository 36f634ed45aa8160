import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { pushBlob, type Reply, startRegistry, type TestRegistry, walkPages } from './testing.ts';

const NAMES = ['back/one', 'front/a-b', 'front/a.b', 'front/ab', 'front/one', 'hub/one'];

describe.each(ENGINES)('the catalogue, on %s', (engine) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startRegistry(engine, 'memory');
    for (const name of [...NAMES].reverse()) await pushBlob(registry, name, 'x');
  });
  afterAll(async () => registry.close());

  it.each([
    ['admin', NAMES],
    ['writer', NAMES.filter((name) => name.startsWith('front/'))],
    ['nobody', []],
  ])('lists for %s what it may pull, bytewise, whole or in pages', async (as, names) => {
    expect((await walkPages(registry, '/v2/_catalog', repositoriesOf, as)).flat()).toEqual(names);
    for (const n of [1, 2, 4]) {
      const pages = await walkPages(registry, `/v2/_catalog?n=${n}`, repositoriesOf, as);
      expect(pages.flat()).toEqual(names);
      expect(pages).toHaveLength(Math.max(1, Math.ceil(names.length / n)));
    }
  });

  it('begins after "last", and is empty for n=0', async () => {
    const after = await registry.call('GET', '/v2/_catalog?last=front/a.b');
    expect(repositoriesOf(after)).toEqual(['front/ab', 'front/one', 'hub/one']);
    expect(repositoriesOf(await registry.call('GET', '/v2/_catalog?n=0'))).toEqual([]);
  });
});

function repositoriesOf(reply: Reply): string[] {
  return (JSON.parse(reply.body.toString()) as { repositories: string[] }).repositories;
}
