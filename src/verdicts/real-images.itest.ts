import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataPath, hasData } from '../../test/support/data.ts';
import { freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { systemClock } from '../platform/clock.ts';
import { createAdvisoryStore, installSnapshot } from '../scanner/advisories/index.ts';
import type { AdvisoryStore } from '../scanner/advisories/types.ts';
import { type AnalyserPool, createLayerAnalyser as createWorkers } from '../scanner/analyser.ts';
import { createLayerAnalyser } from './layer-analyser.ts';
import { createWorld, type World } from './world.testing.ts';

/** Real root file systems as layers, the scanner itself, and the advisories that ship with the program. */
describe.skipIf(!hasData)('verdicts on real images', () => {
  let handle: DatabaseHandle;
  let advisories: AdvisoryStore;
  let workers: AnalyserPool;
  let world: World;
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'breakwater-verdicts-'));
    handle = await freshDatabase('sqlite');
    advisories = createAdvisoryStore({ dir, clock: systemClock });
    await installSnapshot(advisories);
    workers = createWorkers({ workers: 1 });
    world = await createWorld(handle, { analyser: createLayerAnalyser(workers), advisories });
  });
  afterAll(async () => {
    await workers.close();
    advisories.close();
    await handle.close();
    await rm(dir, { recursive: true, force: true });
  });

  it.each(['3.10.9', '3.20.3'])('names the packages of Alpine %s and what is known about them', async (release) => {
    const file = `alpine-minirootfs-${release}-x86_64.tar.gz`;
    const rootfs = await readFile(dataPath('images/alpine', file));
    const subject = await world.pushLayers('front/alpine', [rootfs], release);
    const expected = await readFile(dataPath('images/expected/alpine', `${file}.tsv`), 'utf8');
    const names = expected
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t').slice(0, 2).join(' '));
    const inventory = await world.verdicts.inventoryOf(subject.digest);
    expect(inventory?.packages.map(({ name, version }) => `${name} ${version}`)).toEqual(names.sort());

    const verdict = await world.verdictOf(subject);
    const found = await world.verdicts.findingsOf(subject.digest);
    expect(verdict?.counts.total).toBe(found?.findings.length);
    expect(found?.coverage).toMatchObject({ distribution: { recognised: true }, missing: [] });
    const decision = await world.pull(subject);
    expect(decision.kind).toBe(verdict?.kind === 'block' ? 'refuse' : 'serve');
    if (decision.kind === 'refuse') expect(decision.message).toContain(verdict?.reasons[0]?.vulnerability);
    expect(subject.warnings).toHaveLength(verdict?.kind === 'allow' ? 0 : 1);
  });

  it('refuses the old one', async () => {
    const [blocked] = await world.verdicts.list({ kind: 'block', limit: 5 });
    expect(blocked?.verdict.reasons[0]).toMatchObject({
      rule: 'severity-fixable',
      vulnerability: 'CVE-2021-36159',
      package: 'apk-tools',
    });
  });

  it('does not take bytes that are no layer for an image without packages', async () => {
    const subject = await world.pushLayers('front/odd', [Buffer.from('neither tar nor gzip')], 'odd');
    const verdict = await world.verdictOf(subject);
    expect(verdict).toMatchObject({ kind: 'block', reasons: [{ rule: 'unscannable' }, { rule: 'unscannable' }] });
  });
});
