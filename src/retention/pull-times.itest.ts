import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { silentLogger } from '../platform/logger.ts';
import { pushImage, startRegistry, type TestRegistry } from '../registry/testing.ts';
import { createPullTimes, forgetOldPulls, type PullTimes } from './pull-times.ts';

const MINUTE = 60_000;
const DIGEST = digestOf('something');

async function pull(by: PullTimes): Promise<void> {
  by.pulled('r', DIGEST);
  await by.flush();
}

describe.each(ENGINES)('times of pulls on %s', (engine) => {
  let registry: TestRegistry;
  let times: PullTimes;
  const noted: Digest[] = [];
  beforeEach(async () => {
    noted.length = 0;
    const pulls = {
      pulled(repositoryId: string, digest: Digest) {
        noted.push(digest);
        times.pulled(repositoryId, digest);
      },
    };
    registry = await startRegistry(engine, 'memory', {
      pulls,
      gate: {
        decide: async ({ reference }) =>
          reference === 'bad' ? { kind: 'refuse', code: 'X', message: 'no' } : { kind: 'serve', warnings: [] },
      },
    });
    times = createPullTimes({ ...registry, logger: silentLogger });
  });
  afterEach(() => registry.close());

  const stored = async () =>
    (await registry.db.selectFrom('manifest_pulls').select('pulled_at').execute()).map((row) => row.pulled_at);

  it('are noted for what is served, also when a runtime only asks whether it has the newest', async () => {
    const { digest } = await pushImage(registry, 'front/app', '1');
    const bad = await pushImage(registry, 'front/app', 'bad');
    const path = '/v2/front/app/manifests';
    const ask = (method: 'GET' | 'HEAD', reference: string, as: string) =>
      registry.call(method, `${path}/${reference}`, { as });
    await ask('HEAD', '1', 'writer');
    await ask('GET', 'bad', 'reader');
    await ask('HEAD', 'bad', 'reader');
    await ask('GET', 'none', 'reader');
    await ask('GET', '1', 'nobody');
    expect(noted).toEqual([]);
    await ask('GET', '1', 'reader');
    await ask('HEAD', '1', 'reader');
    await ask('GET', digest, 'writer');
    await registry.call('GET', `${path}/1`, { headers: { 'if-none-match': `"${digest}"` } });
    expect(noted).toEqual([digest, digest, digest, digest]);
    expect(bad.digest).not.toBe(digest);
    // Nothing is written while pulls go on.
    expect(await stored()).toEqual([]);
    await times.flush();
    expect(await stored()).toEqual([registry.clock.now()]);
  });

  it('are written again only after an hour, and never back', async () => {
    const start = registry.clock.now();
    await pull(times);
    registry.clock.advance(59 * MINUTE);
    await pull(times);
    expect(await stored()).toEqual([start]);
    registry.clock.advance(MINUTE);
    await pull(times);
    expect(await stored()).toEqual([start + 60 * MINUTE]);
    const other = createPullTimes({ ...registry, clock: { now: () => start }, logger: silentLogger });
    await pull(other);
    expect(await stored()).toEqual([start + 60 * MINUTE]);
  });

  it('are kept while they cannot be written, and forgotten with the manifest', async () => {
    times.pulled('r', DIGEST);
    await registry.db.schema.alterTable('manifest_pulls').renameTo('away').execute();
    await expect(times.flush()).rejects.toThrow();
    await registry.db.schema.alterTable('away').renameTo('manifest_pulls').execute();
    await times.close();
    expect(await stored()).toHaveLength(1);
    const { digest } = await pushImage(registry, 'front/app', '1');
    const { id } = await registry.db.selectFrom('repositories').select('id').executeTakeFirstOrThrow();
    times.pulled(id, digest);
    await times.flush();
    await forgetOldPulls(registry.db);
    expect(await registry.db.selectFrom('manifest_pulls').select('digest').execute()).toEqual([{ digest }]);
  });
});
