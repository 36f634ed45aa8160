import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { createLayerAnalyser } from './analyser.ts';
import { HOSTILE_LAYERS, writeHostileLayer } from './hostile-layers.testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-hostile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Of the full size, so that it is made quickly; little memory makes up for it. */
const SCALE = 0.2;
const MEMORY_MB = 32;
const HARMLESS = new Set(['millions of entries', 'files in a jar', 'names in JSON', 'jars in jars']);

describe('workers', () => {
  it.each([...HOSTILE_LAYERS])('survive, or say why they did not, a layer of %s', async (what, make) => {
    const path = join(folder, what);
    await writeHostileLayer(path, make(SCALE));
    const analyser = createLayerAnalyser({ workers: 2, memoryMb: MEMORY_MB });
    try {
      const digest = digestOf(Buffer.from(what));
      const before = process.memoryUsage().rss;
      const runs = await Promise.all([1, 2, 3].map(() => analyser.analyse({ kind: 'file', path, digest })));
      for (const evidence of runs) {
        const inventory = await analyser.compose([{ digest, evidence }]);
        if (inventory.complete) expect(HARMLESS).toContain(what);
        else
          expect(inventory.gaps[0]?.message).toMatch(/needed more than 32 MB of memory|more (packages )?than|at most/);
      }
      // What was in the layer stays with the workers.
      expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
    } finally {
      await analyser.close();
    }
  });
});
