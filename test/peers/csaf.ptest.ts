import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entry, stateOf } from '../../src/vex/export/arbitrary.testing.ts';
import { vexDocument } from '../../src/vex/export/index.ts';
import { csafProblems } from '../schemas/validators.ts';

describe('CSAF', () => {
  it('passes the schema and every mandatory test', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 12 }), async (entries) => {
        expect(await csafProblems(vexDocument('csaf', stateOf(entries)))).toEqual([]);
      }),
      { numRuns: 50 },
    );
    // The validator does find what is wrong.
    const { vulnerabilities: _, ...broken } = vexDocument('csaf', stateOf([])) as Record<string, unknown>;
    expect(await csafProblems(broken)).not.toEqual([]);
  });
});
