import { performance } from 'node:perf_hooks';
import { createAdvisor } from '../../src/advice/advisor.ts';
import { defaultPolicy, type Policy } from '../../src/policy/policy.ts';
import { findSubject } from '../../src/verdicts/subjects.ts';
import { pullable } from './gate.ts';
import { percentile, type Row } from './row.ts';
import type { World } from './world.ts';

const FINDINGS = 500;
/** Images among which the one with as many findings is looked for. */
const LOOKED_AT = 2000;
const ASKED = 20;
const GOAL_MS = 200;
/** Everything that is known blocks. */
const STRICT: Policy = { ...defaultPolicy, block: { fixable: 'none', unfixable: 'none' } };

/** Why an image with some 500 findings is blocked, each of which needs advice; from the database each time. */
export const whyRow: Row = {
  name: 'why',
  async measure(world) {
    const { repositoryId, digest, findings } = await imageWithFindings(world);
    const subject = await findSubject(world.db, repositoryId, digest);
    if (!subject) throw new Error('the image is gone');
    const { db, advisories, verdicts } = world;
    const advisor = createAdvisor({
      db,
      advisories,
      exceptions: { latestEnd: async () => Infinity },
      verdicts: { ...verdicts, inputOf: (one) => strictly(verdicts.inputOf(one)) },
    });
    const times: number[] = [];
    let parts = 0;
    for (let at = 0; at < ASKED; at += 1) {
      const began = performance.now();
      const [advised] = await advisor.adviseOn(subject, () => true);
      times.push(performance.now() - began);
      parts = advised?.advice.plans[0]?.parts.length ?? 0;
    }
    return [
      {
        what: `why, ${findings} findings, ${parts} changes advised`,
        value: percentile(times, 0.5),
        unit: 'ms',
        goal: GOAL_MS,
      },
      { what: 'why, the slowest of 20', value: Math.max(...times), unit: 'ms' },
    ];
  },
};

/** The same with a policy by which everything blocks. */
async function strictly(found: ReturnType<World['verdicts']['inputOf']>): ReturnType<World['verdicts']['inputOf']> {
  const known = await found;
  return known && { ...known, input: { ...known.input, policy: STRICT } };
}

async function imageWithFindings({ db, verdicts }: World) {
  let best:
    | { repositoryId: string; digest: Awaited<ReturnType<typeof pullable>>[number]['digest']; findings: number }
    | undefined;
  for (const { repositoryId, digest } of await pullable({ db }, LOOKED_AT)) {
    const findings = (await verdicts.findingsOf(digest))?.findings.length ?? 0;
    if (!best || Math.abs(findings - FINDINGS) < Math.abs(best.findings - FINDINGS))
      best = { repositoryId, digest, findings };
    if (Math.abs(findings - FINDINGS) <= FINDINGS / 50) break;
  }
  if (!best) throw new Error('nothing is stored');
  return best;
}
