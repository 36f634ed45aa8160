import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import type { Caller } from '../registry/ports.ts';
import {
  ALPINE,
  advisoriesOf,
  createWorld,
  DAY,
  gated,
  NOW,
  scannerAccount,
  someone,
  type World,
} from './world.testing.ts';

const [bad, good, shared] = ['busybox@1.0-r0', 'zlib@1.3-r0', 'musl@1.2-r0'].map((name) => ({
  distribution: '3.23',
  packages: [name],
})) as [object, object, object];
const facts = advisoriesOf({ [`${ALPINE}/busybox`]: [{ id: 'CVE-1', fixed: '1.0-r1', severity: 'critical' }] });
const digestIn = (layer: object): Digest => digestOf(Buffer.from(JSON.stringify(layer)));

describe.each(ENGINES)('blobs of projects that gate them, on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: World;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    world = await createWorld(handle);
    world.state.advisories = facts;
    world.state.policies.set('front', { policy: { ...gated, gateBlobs: true }, version: 3 });
  });
  afterEach(async () => {
    await world.verdicts.close();
    await handle.close();
  });

  async function answer(repository: string, layer: object, caller: Caller = someone): Promise<string> {
    const decision = await world.verdicts.blobGate.decide(repository, digestIn(layer), caller);
    return decision.kind === 'refuse' ? decision.code : decision.kind;
  }

  it('are sent when one image that is served holds them, or none at all', async () => {
    await world.push('front/app', [shared, bad], 'bad');
    expect(await answer('front/app', bad)).toBe('PROJECTPOLICYVIOLATION');
    expect(await answer('front/app', shared)).toBe('PROJECTPOLICYVIOLATION');
    await world.push('front/app', [shared, good], 'good');
    expect(await answer('front/app', shared)).toBe('serve');
    expect(await answer('front/app', bad)).toBe('PROJECTPOLICYVIOLATION');
    await world.storeBytes(Buffer.from(JSON.stringify({ packages: [] })));
    expect(await answer('front/app', { packages: [] })).toBe('serve');
    expect(await answer('front/none', bad)).toBe('serve');
  });

  it('follow the verdict: an exception, a permission, another project', async () => {
    await world.push('front/app', [bad], 'bad');
    await world.push('back/app', [bad], 'bad');
    expect(await answer('back/app', bad)).toBe('serve');
    expect(await answer('front/app', bad, scannerAccount)).toBe('serve');
    expect(world.state.ledger).toEqual([]);
    world.state.exceptions = [{ id: 'e', vulnerability: 'CVE-1', from: 0, until: NOW + DAY }];
    await world.verdicts.rejudgeProject('front', 'exception');
    expect(await answer('front/app', bad)).toBe('serve');
  });

  it('are sent to whoever may pull where the project does not gate them', async () => {
    world.state.policies.set('front', { policy: gated, version: 4 });
    const image = await world.push('front/app', [bad], 'bad');
    expect((await world.pull(image)).kind).toBe('refuse');
    expect(await answer('front/app', bad)).toBe('serve');
  });
});
