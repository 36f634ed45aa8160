import type { Policy } from '../policy/policy.ts';
import { layerDocument, type Origin, type PolicyLayer, resolvePolicy } from '../policy/policy-layer.ts';
import type { ComingPolicy } from '../policy/policy-timeline.ts';
import type { InForce } from './policy-rows.ts';

/** What counts for a project, or for the installation where a project says nothing. */
export interface EffectivePolicy {
  readonly policy: Policy;
  /** Policies that are to count later, in the order of their moments. */
  readonly coming: readonly ComingPolicy[];
  /** Differs whenever any of it was changed; 0 is what is built in. */
  readonly version: number;
  /** The nearest that says anything of it. */
  readonly origin: 'project' | 'installation' | 'built-in';
  /** Where each field comes from, by path. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** What the owner itself says. */
  readonly own: Readonly<Record<string, unknown>>;
}

/** Puts the layers of the installation and of a project, where there is one, together: now and at the moments to come. */
export function effectiveOf(installation: InForce, project: InForce | undefined, version: number): EffectivePolicy {
  const { policy, origins } = resolvePolicy(installation.current, project?.current);
  const moments = [installation.coming?.from, project?.coming?.from].filter((moment) => moment !== undefined);
  const coming = [...new Set(moments)]
    .sort((a, b) => a - b)
    .map((from) => ({
      from,
      versions: [installation.coming, project?.coming].flatMap((next) => (next?.from === from ? [next.version] : [])),
      policy: resolvePolicy(layerAt(installation, from), project && layerAt(project, from)).policy,
    }));
  const own = (project ?? installation).current;
  const origin =
    project && project.current.fields.size > 0
      ? 'project'
      : installation.current.fields.size > 0
        ? 'installation'
        : 'built-in';
  return { policy, coming, version, origin, origins, own: layerDocument(own) };
}

function layerAt({ current, coming }: InForce, moment: number): PolicyLayer {
  return coming && coming.from <= moment ? coming.layer : current;
}
