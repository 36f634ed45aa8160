import { CONSTRAINT_KIND, type Constraint, parseConstraint, STYLE_ANNOTATION } from '../constraints/constraint.ts';
import { DEFAULT_KINDS, EXCLUDED_NAMESPACES } from '../constraints/default-match.ts';
import type { EnforcementAction } from '../constraints/enforcement.ts';
import type { MessageStyle } from '../constraints/options.ts';
import { type Rules, rulesOf } from '../constraints/rules.ts';

/** The rules in force and the labels of namespaces: all in memory, ready for the webhook. */
export interface ConstraintSource {
  /** Undefined until they have been read for the first time: then nothing can be decided. */
  rules(): Rules | undefined;
  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined;
  /** One sentence when what is held is missing or too old, for readiness. */
  problem(): string | undefined;
  /** May look up a namespace that is not known yet; gives up quickly. */
  ensureNamespace?(name: string): Promise<void>;
}

export interface StaticConstraintOptions {
  readonly name: string;
  readonly enforcementAction: EnforcementAction;
  readonly style?: MessageStyle;
  /** The trusted set now; asked again for every request, compiled only when it changes. */
  repos(): readonly string[];
}

/** One constraint made from the trusted set, for a webhook that has no access to the cluster's own constraints. */
export function staticConstraintSource(options: StaticConstraintOptions): ConstraintSource {
  let compiled: { repos: readonly string[]; rules: Rules } | undefined;
  return {
    rules() {
      const repos = options.repos();
      if (compiled?.repos !== repos) {
        const same = compiled && JSON.stringify(compiled.repos) === JSON.stringify(repos);
        compiled = { repos, rules: same && compiled ? compiled.rules : rulesOf([build(options, repos)]) };
      }
      return compiled.rules;
    },
    namespaceLabels: () => undefined,
    problem: () => undefined,
  };
}

function build(options: StaticConstraintOptions, repos: readonly string[]): Constraint {
  return parseConstraint({
    kind: CONSTRAINT_KIND,
    metadata: { name: options.name, annotations: options.style ? { [STYLE_ANNOTATION]: options.style } : {} },
    spec: {
      enforcementAction: options.enforcementAction,
      match: { kinds: DEFAULT_KINDS, excludedNamespaces: EXCLUDED_NAMESPACES },
      parameters: { repos: [...repos] },
    },
  });
}
