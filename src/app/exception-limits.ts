import { EVERY_PROJECT } from '../exceptions/exception.ts';
import type { LimitSource } from '../exceptions/limits.ts';
import { type Severity, severityRank } from '../model/severity.ts';
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
      return { ...policy.exceptions, unknownSeverity: policy.unknownSeverity };
    },
    severityOf(vulnerability) {
      const said = advisories.current()?.vulnerability(vulnerability)?.severities ?? [];
      return said.reduce<Severity>(
        (worst, { severity }) => (severityRank(severity) > severityRank(worst) ? severity : worst),
        'unknown',
      );
    },
  };
}
