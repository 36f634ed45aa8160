import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createRandom } from './random.ts';
import { TARGETS } from './targets.ts';
import { caseOf, failureOf } from './worker.ts';

const SEEDS = join(import.meta.dirname, 'seeds');

interface Seed {
  readonly target: string;
  readonly path: string;
  readonly gzip: string;
}

describe('readers of foreign bytes', () => {
  const seeds = readdirSync(SEEDS).filter((name) => name.endsWith('.json'));
  it.each(seeds)('survive what once broke one: %s', async (name) => {
    const { target, path, gzip } = JSON.parse(readFileSync(join(SEEDS, name), 'utf8')) as Seed;
    const found = TARGETS.find((one) => one.name === target);
    expect(found, target).toBeDefined();
    if (found) expect(await failureOf(found, { path, bytes: gunzipSync(Buffer.from(gzip, 'base64')) })).toBeUndefined();
  });

  it('are each given other bytes in every case, and the same again for the same seed', () => {
    const bytes = Buffer.from('{"a":[1,2,{"b":"c"}],"d":null}\n'.repeat(20));
    for (const target of TARGETS) {
      const cases = [1, 2, 3, 1].map((turn) => caseOf(target, [{ path: 'x', bytes }], 7, turn).bytes.toString('hex'));
      expect(cases[3], target.name).toBe(cases[0]);
      expect(new Set(cases).size, target.name).toBeGreaterThan(1);
    }
    expect(createRandom(1, 1).under(1e9)).not.toBe(createRandom(1, 2).under(1e9));
  });

  it('that throw are found', async () => {
    const bad = {
      name: 'bad',
      samples: () => Promise.resolve([]),
      mutate: (_random: unknown, bytes: Buffer) => bytes,
      run: () => {
        throw new Error('broken');
      },
    };
    expect(await failureOf(bad, { path: '', bytes: Buffer.alloc(0) })).toMatch(/broken/);
  });
});
