import { performance } from 'node:perf_hooks';
import { defaultPolicy } from '../../src/policy/policy.ts';
import type { Figure, Row } from './row.ts';
import { somebody } from './world.ts';

/** Another policy of the installation, until every stored image is decided by it. */
export const policyChangeRow: Row = {
  name: 'policy',
  async measure({ policies, verdicts }, round): Promise<readonly Figure[]> {
    const fixable = round % 2 === 0 ? ('high' as const) : ('critical' as const);
    const document = { ...defaultPolicy, block: { fixable, unfixable: 'off' as const } };
    await policies.set(somebody, 'installation', document, { reason: `round ${round}` });
    const began = performance.now();
    const { judged, changed } = await verdicts.rejudgeAll('policy');
    const seconds = (performance.now() - began) / 1000;
    if (changed === 0) throw new Error('the policy changed nothing');
    return [{ what: `a policy change re-decides ${judged} images`, value: seconds, unit: 's', goal: 10 }];
  },
};
