import type { Constraint } from '../constraints/constraint.ts';
import { EvaluationError, evaluate } from '../constraints/evaluate.ts';
import { ExpansionError } from '../constraints/expansion.ts';
import type { ImageFacts } from '../constraints/image-facts.ts';
import type { NamespaceLabels } from '../constraints/match.ts';
import type { Rules } from '../constraints/rules.ts';
import type { HeldWorkload } from './held-workload.ts';

/** What is wrong with a workload under one constraint. */
export interface WorkloadFinding {
  readonly constraint: Constraint;
  /** What the constraint says it does, as written; what an ExpansionTemplate says instead. */
  readonly action: string;
  /** All actions of a scoped constraint here, strongest first; empty for others. */
  readonly scopedActions: readonly string[];
  readonly image: string;
  readonly message: string;
}

export interface Judged {
  readonly findings: readonly WorkloadFinding[];
  /** Why it could not be judged: it is to be tried again. */
  readonly problem?: string;
}

export interface WorkloadJudge {
  judge(workload: HeldWorkload): Judged;
}

const NOTHING: Judged = { findings: [] };
/** Pods of one template are judged once; so many templates are remembered. */
const MOST_REMEMBERED = 50_000;

/** Judges workloads of the cache under fixed rules and facts, with the function the webhook uses. */
export function createWorkloadJudge(rules: Rules, facts: ImageFacts, namespaceLabels: NamespaceLabels): WorkloadJudge {
  const deps = { ...facts, namespaceLabels };
  // Names are all that the objects of one template do not have in common.
  const namesMatter = rules.constraints.some(({ match }) => Boolean(match.name)) || rules.expansions.length > 0;
  const remembered = new Map<string, Judged>();
  const numbers = new WeakMap<object, number>();
  let last = 0;

  function numberOf(shared: object): number {
    const known = numbers.get(shared);
    if (known !== undefined) return known;
    last += 1;
    numbers.set(shared, last);
    return last;
  }

  function judgeAnew(workload: HeldWorkload): Judged {
    try {
      const lines = evaluate(deps, rules, 'audit.gatekeeper.sh', { object: objectOf(workload) });
      const findings = lines
        .filter(({ kind }) => kind !== 'warned')
        .map(({ constraint, action, actions, impliedBy, image, message }): WorkloadFinding => {
          const scoped = constraint.enforcementAction === 'scoped';
          const overridden =
            impliedBy !== undefined && !scoped && action !== constraint.actionAt('audit.gatekeeper.sh');
          return {
            constraint,
            action: overridden ? action : constraint.enforcementAction,
            scopedActions: scoped ? actions : [],
            image,
            message,
          };
        });
      return findings.length === 0 ? NOTHING : { findings };
    } catch (error) {
      if (!(error instanceof EvaluationError || error instanceof ExpansionError)) throw error;
      return { findings: [], problem: error.message };
    }
  }

  return {
    judge(workload) {
      if (workload.images.length === 0 || rules.constraints.length === 0) return NOTHING;
      if (namesMatter) return judgeAnew(workload);
      const { kind, apiVersion, namespace, images, labels, templateLabels } = workload;
      const key = `${apiVersion}/${kind}/${namespace}/${numberOf(images)}/${numberOf(labels)}/${numberOf(templateLabels)}`;
      const known = remembered.get(key);
      if (known !== undefined) return known;
      if (remembered.size >= MOST_REMEMBERED) remembered.clear();
      const judged = judgeAnew(workload);
      remembered.set(key, judged);
      return judged;
    },
  };
}

const LIST_OF = {
  container: 'containers',
  initContainer: 'initContainers',
  ephemeralContainer: 'ephemeralContainers',
} as const;

/** The object as the engine reads it, with no more than what it looks at. */
function objectOf(workload: HeldWorkload): Record<string, unknown> {
  const { of, apiVersion, kind, name, generateName, namespace, labels, templateLabels } = workload;
  const metadata = { name, namespace, labels, ...(generateName === '' ? {} : { generateName }) };
  const spec: Record<string, Record<string, unknown>[]> = {};
  for (const { place, name: part, image } of workload.images) {
    if (place === 'volume') (spec['volumes'] ??= []).push({ name: part, image: { reference: image } });
    else (spec[LIST_OF[place]] ??= []).push({ name: part, image });
  }
  if (of.kind === 'Pod') return { apiVersion, kind, metadata, spec };
  const path = TEMPLATE_PATHS[kind] ?? TEMPLATE_PATH;
  let nested: Record<string, unknown> = { metadata: { labels: templateLabels }, spec };
  for (const step of path.toReversed()) nested = { [step]: nested };
  return { apiVersion, kind, metadata, ...nested };
}

const TEMPLATE_PATH: readonly string[] = ['spec', 'template'];
const TEMPLATE_PATHS: Readonly<Record<string, readonly string[]>> = {
  PodTemplate: ['template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};
