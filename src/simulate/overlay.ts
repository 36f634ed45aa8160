import { EVERY_PROJECT } from '../exceptions/exception.ts';
import type { Clock } from '../platform/clock.ts';
import { previewPolicies } from '../projects/policy-preview.ts';
import type { AdvisoryDatabase } from '../scanner/advisories/types.ts';
import type { ExceptionSource } from '../verdicts/ports.ts';
import type { Sources } from '../verdicts/sources.ts';
import type { Question } from './question.ts';

/** The same sources as they are when they are first asked, however long reading them takes. */
export function frozen(sources: Sources): Sources {
  const now = sources.clock.now();
  const clock: Clock = { ...sources.clock, now: () => now };
  const database = sources.advisories.current();
  return {
    ...sources,
    clock,
    advisories: { current: () => database },
    policies: { effectivePolicy: onceFor((projectId) => sources.policies.effectivePolicy(projectId)) },
    exceptions: { granted: onceFor((projectId) => sources.exceptions.granted(projectId)) },
  };
}

function onceFor<Value>(read: (projectId: string) => Promise<Value>): (projectId: string) => Promise<Value> {
  const kept = new Map<string, Promise<Value>>();
  return (projectId) => {
    const known = kept.get(projectId) ?? read(projectId);
    kept.set(projectId, known);
    return known;
  };
}

/** The sources of verdicts with what is asked about in the place of what is kept. */
export function overlaid(kept: Sources, question: Question, advisories?: AdvisoryDatabase): Sources {
  const policies = question.policy && previewPolicies(kept, question.policy);
  return {
    ...kept,
    ...(policies ? { policies: { effectivePolicy: onceFor((projectId) => policies.effectivePolicy(projectId)) } } : {}),
    exceptions: question.exceptions ? withExceptions(kept.exceptions, question.exceptions) : kept.exceptions,
    ...(advisories ? { advisories: { current: () => advisories } } : {}),
  };
}

function withExceptions(
  kept: ExceptionSource,
  { projectId: where, granted, revoked }: NonNullable<Question['exceptions']>,
): ExceptionSource {
  return {
    async granted(projectId) {
      const present = await kept.granted(projectId);
      return where === EVERY_PROJECT || projectId === where
        ? [...present.filter(({ id }) => !revoked.includes(id)), ...granted]
        : present;
    },
  };
}
