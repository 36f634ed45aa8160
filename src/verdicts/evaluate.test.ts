import { describe, expect, it } from 'vitest';
import type { Distribution } from '../model/inventory.ts';
import { evaluate } from './evaluate.ts';

const coverageOf = (distribution: Distribution) =>
  evaluate({ analyser: 'a', distribution, packages: [], gaps: [], complete: true }, undefined).coverage.distribution;

describe('evaluate', () => {
  it('says until when the distribution gets fixes, when that is known', () => {
    const alpine = { id: 'alpine', version: '3.20.3', idLike: [], rolling: false };
    expect(coverageOf(alpine)).toEqual({
      recognised: true,
      name: 'alpine 3.20.3',
      rolling: false,
      endOfLife: '2026-04-01',
    });
    expect(coverageOf({ ...alpine, id: 'own' })).toEqual({ recognised: false, name: 'own 3.20.3', rolling: false });
  });
});
