import { ConstraintError, parseConstraint } from '../constraints/constraint.ts';
import { readExemptions } from '../constraints/exemption.ts';
import { ExpansionError, parseExpansion } from '../constraints/expansion.ts';
import type { ImageFactsSource } from '../constraints/image-facts.ts';
import type { WatchDeps } from '../kubernetes/watch-collection.ts';
import type { PreflightCheck } from './check.ts';
import { featureChecks } from './cluster-features.ts';
import { ownerChecks } from './definition-owners.ts';
import { readNamespaceLabels } from './namespace-labels.ts';
import { readEach } from './read-each.ts';
import { rightsCheck } from './rights.ts';
import { shortNameCheck } from './short-names.ts';
import type { GatekeeperObjects } from './takeover.ts';
import { webhookChecks } from './webhook-checks.ts';
import { type ClusterContent, judgeCluster } from './would-deny.ts';

export interface PreflightDeps extends WatchDeps {
  readonly facts: ImageFactsSource;
}

export interface PreflightReport {
  readonly checks: readonly PreflightCheck[];
  /** What would be denied today if these constraints denied: what a first audit lists. */
  readonly wouldDeny: ClusterContent['violations'];
  readonly objects: number;
  readonly constraints: readonly string[];
  /** Kinds, objects and constraints that could not be judged. */
  readonly incomplete: ClusterContent['incomplete'];
}

/**
 * Asks everything there is to ask before a guard enforces constraints in a cluster. Reads only; access reviews leave
 * nothing behind. Throws `KubernetesError` when the API server cannot be reached.
 */
export async function preflight(
  deps: PreflightDeps,
  objects: Omit<GatekeeperObjects, 'templates'>,
  serviceAccount?: string,
): Promise<PreflightReport> {
  const { client } = deps;
  const features = await featureChecks(client);
  const unread: { kind: string; reason: string }[] = [];
  const rules = {
    constraints: readEach(
      objects.constraints,
      (one) => parseConstraint(one),
      ConstraintError,
      (reason) => unread.push({ kind: 'constraint', reason }),
    ),
    expansions: readEach(objects.expansions, parseExpansion, ExpansionError, (reason) =>
      unread.push({ kind: 'ExpansionTemplate', reason }),
    ),
    exempt: readExemptions(objects.configs),
  };
  const namespaceLabels = await readNamespaceLabels(client);
  const content = await judgeCluster({ ...deps, namespaceLabels }, rules);
  return {
    checks: [
      ...features,
      ...(await ownerChecks(client)),
      ...(await webhookChecks(client, deps.clock)),
      await rightsCheck(client, serviceAccount),
      shortNameCheck(content.images),
    ],
    wouldDeny: content.violations,
    objects: content.objects,
    constraints: rules.constraints.map(({ kind, name }) => `${kind} ${name}`),
    incomplete: [...unread, ...content.incomplete],
  };
}
