import { z } from 'zod';

/** What a violated constraint does. */
export type EnforcementAction = 'deny' | 'warn' | 'dryrun';

/** Where constraints are enforced; `*` in a constraint means all of them. */
export const ENFORCEMENT_POINTS = [
  'validation.gatekeeper.sh',
  'audit.gatekeeper.sh',
  'gator.gatekeeper.sh',
  'vap.k8s.io',
] as const;
export type EnforcementPoint = (typeof ENFORCEMENT_POINTS)[number];

export const scopedActionSchema = z.looseObject({
  action: z.string(),
  enforcementPoints: z.array(z.looseObject({ name: z.string() })).optional(),
});
export type ScopedAction = z.infer<typeof scopedActionSchema>;

/** From the strongest to the weakest. */
export const ENFORCEMENT_ACTIONS: readonly EnforcementAction[] = ['deny', 'warn', 'dryrun'];

export interface Enforcement {
  /** All actions at a point, strongest first; empty when the constraint is not enforced there. */
  actionsAt(point: EnforcementPoint): readonly EnforcementAction[];
  readonly problems: readonly string[];
}

export interface EnforcementInput {
  /** `spec.enforcementAction`, `deny` when absent; empty only under `compat`. */
  readonly written: string;
  readonly scoped: readonly ScopedAction[];
  /** Skips unknown actions silently, as Gatekeeper does; otherwise they warn: nobody should think to be protected and be silently not. */
  readonly compat: boolean;
}

/** What Gatekeeper makes of `enforcementAction: ""`: its webhook passes over it, its audit lists it, its tool fails. */
const EMPTY_ACTION: Readonly<Record<EnforcementPoint, readonly EnforcementAction[]>> = {
  'validation.gatekeeper.sh': [],
  'audit.gatekeeper.sh': ['dryrun'],
  'gator.gatekeeper.sh': ['deny'],
  'vap.k8s.io': [],
};
const EMPTY_PROBLEM = 'enforcement action "" is not known: nothing is enforced at admission';

/** Reads what a constraint does at each enforcement point. */
export function readEnforcement({ written, scoped, compat }: EnforcementInput): Enforcement {
  const problems: string[] = [];
  if (written === '') return { actionsAt: (point) => EMPTY_ACTION[point], problems: [EMPTY_PROBLEM] };
  function known(text: string): EnforcementAction | undefined {
    const action = ENFORCEMENT_ACTIONS.find((one) => one === text);
    if (action === undefined) {
      problems.push(`enforcement action "${text}" is not known: ${compat ? 'nothing is enforced' : 'it warns'}`);
    }
    return action ?? (compat ? undefined : 'warn');
  }
  if (written !== 'scoped') {
    const action = known(written);
    const actions = action === undefined ? [] : [action];
    return { actionsAt: () => actions, problems };
  }
  const byPoint = new Map(ENFORCEMENT_POINTS.map((point) => [point, new Set<EnforcementAction>()]));
  for (const { action: text, enforcementPoints = [] } of scoped) {
    const action = known(text);
    if (enforcementPoints.length === 0) problems.push(`the scoped action "${text}" names no enforcement point`);
    for (const { name } of enforcementPoints) {
      const points = ENFORCEMENT_POINTS.filter((point) => name === '*' || name === point);
      if (points.length === 0) problems.push(`enforcement point "${name}" is not known: nothing is enforced there`);
      if (action !== undefined) for (const point of points) byPoint.get(point)?.add(action);
    }
  }
  const sorted = new Map(
    [...byPoint].map(([point, set]) => [point, ENFORCEMENT_ACTIONS.filter((action) => set.has(action))]),
  );
  // In a cluster Gatekeeper takes such a constraint for broken as a whole; its tool for tests does what can be read.
  const broken = compat && problems.length > 0;
  return {
    actionsAt: (point) => (broken && point !== 'gator.gatekeeper.sh' ? [] : (sorted.get(point) ?? [])),
    problems,
  };
}
