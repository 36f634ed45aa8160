import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { COMPARED, decisionStory } from './decision-story.testing.ts';
import { checkDecisions } from './one-decision.testing.ts';

it.each(ENGINES)(
  'gate, API, webhooks, audits and guards decide alike, and for the same reasons, on %s',
  { timeout: 300_000 },
  async (engine) => {
    await fc.assert(
      fc.asyncProperty(decisionStory, async (story) => {
        const handle = await freshDatabase(engine);
        try {
          expect(await checkDecisions(handle, story)).toBe(COMPARED);
        } finally {
          await handle.close();
        }
      }),
      { numRuns: engine === 'sqlite' ? 20 : 4, endOnFailure: true },
    );
  },
);
