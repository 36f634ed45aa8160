import { EVERY_PROJECT } from '../exceptions/exception.ts';
import { type LimitSource, limitsIn } from '../exceptions/limits.ts';
import { worstSeverity } from '../model/severity.ts';
import type { PolicyStore } from '../projects/policy-store.ts';
import type { AdvisoryStore } from '../scanner/advisories/types.ts';

/** How long exceptions may last: what the policy says, for the severity that the advisories know. */
export function exceptionLimits(deps: {
  readonly policies: Pick<PolicyStore, 'effectivePolicy' | 'installationPolicy'>;
  readonly advisories: Pick<AdvisoryStore, 'current'>;
}): LimitSource {
  const { policies, advisories } = deps;
  return {
    async limitsOf(projectId) {
      const { policy } =
        projectId === EVERY_PROJECT ? await policies.installationPolicy() : await policies.effectivePolicy(projectId);
      return limitsIn(policy);
    },
    severityOf(vulnerability) {
      const said = advisories.current()?.vulnerability(vulnerability)?.severities ?? [];
      return worstSeverity(
        said.map(({ severity }) => severity),
        'unknown',
      );
    },
  };
}
