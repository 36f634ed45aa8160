import fc from 'fast-check';
import type { VerdictKind } from '../../src/model/verdict.ts';
import { judge } from '../../src/policy/judge.ts';
import { withReference } from '../../src/policy/judge-reference.ts';
import { anInput, inputs, policies } from '../../src/policy/judging.testing.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { documentOf, FIELD_PATHS, fieldOf, isAtLeastAsStrict } from '../../src/policy/policy-fields.ts';
import { FIELD_ORDERS } from '../../src/policy/policy-order.ts';
import type { Law } from './law.ts';

const KINDS: readonly VerdictKind[] = ['allow', 'warn', 'block'];

/** A policy with some fields as strict as in another, where they were not stricter already; what cannot be compared stays. */
function tightened(a: Policy, b: Policy, paths: readonly string[]): Policy {
  return documentOf(
    FIELD_PATHS.map((path) => {
      const [own, other] = [fieldOf(a, path), fieldOf(b, path)];
      return [path, paths.includes(path) ? FIELD_ORDERS[path]?.strictest(own, other) : own];
    }),
  ) as unknown as Policy;
}

/** Few fields, so that one which makes a policy looser is not outweighed by the others; or all of them. */
const some = fc.oneof(
  // Fields that bear on each other.
  {
    weight: 2,
    arbitrary: fc.subarray(
      FIELD_PATHS.filter((path) => /^(block|warn|graceDays|unknownSeverity)/.test(path)),
      { minLength: 1, maxLength: 2 },
    ),
  },
  { weight: 2, arbitrary: fc.subarray([...FIELD_PATHS], { minLength: 1, maxLength: 2 }) },
  fc.constant(FIELD_PATHS),
);

export const laws: readonly Law[] = [
  {
    number: 1,
    says: 'a stricter policy, field by field, never allows more',
    property: () =>
      fc.property(inputs, policies, some, fc.constantFrom('latest', '1.0-dev', '2'), (input, other, paths, tag) => {
        const stricter = tightened(input.policy, other, paths);
        if (!isAtLeastAsStrict(stricter, input.policy)) throw new Error('made no stricter policy');
        // Each finding also in an image with nothing else wrong: what else is blocked hides nothing then.
        const { inventory, coverage, advisories } = anInput();
        const alone = input.findings.map((finding) => ({
          ...input,
          inventory,
          coverage,
          ...(advisories ? { advisories } : {}),
          findings: [finding],
        }));
        for (const [at, image] of [input, ...alone].entries()) {
          const rank = (policy: Policy) => {
            const verdict = judge({ ...image, policy, coming: [] });
            return KINDS.indexOf(
              (at > 0 ? verdict : withReference(verdict, { policy }, { tag }, verdict.judgedAt)).kind,
            );
          };
          if (rank(stricter) < rank(input.policy)) throw new Error(`the stricter policy allows more of image ${at}`);
        }
      }),
  },
];
