import { z } from 'zod';
import { PACKAGE_TYPES } from '../model/inventory.ts';
import { tryParseDigest } from '../oci/digest.ts';
import { defined } from '../platform/defined.ts';
import { PRINTABLE } from '../platform/reason.ts';
import { schemaProblems } from '../platform/schema-problems.ts';
import { EXCEPTION_KINDS, EXCEPTION_RULES, JUSTIFICATIONS } from '../policy/exceptions.ts';
import { parseVersionRange } from '../policy/version-range.ts';
import { schemeOfType } from '../scanner/versions/of-type.ts';
import { ExceptionError } from './errors.ts';
import type { NewException } from './exception.ts';

const LONGEST_REASON = 4000;
/** Stars of a glob: each makes it cost more to compare. */
const MOST_STARS = 8;

/** One line of printable text: it ends up in messages, mails and tables. */
const line = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .regex(PRINTABLE, 'write one line of printable text, without line breaks and control characters');

const fields = z
  .object({
    kind: z.enum(EXCEPTION_KINDS).default('accepted-risk'),
    vulnerability: z
      .string()
      .regex(/^[\w][\w.:/+ -]{1,126}\w$/, 'give an id such as CVE-2024-1234')
      .optional(),
    rule: z.enum(EXCEPTION_RULES).optional(),
    package: line(255).optional(),
    packageType: z.enum(PACKAGE_TYPES).optional(),
    version: line(255).optional(),
    versions: line(255).optional(),
    repository: z
      .string()
      .max(255)
      .regex(/^[a-z0-9._/*-]+$/, 'a glob of repositories, like team/** or app')
      .refine((glob) => (glob.match(/\*+/g) ?? []).length <= MOST_STARS && !glob.includes('***'), {
        message: `a glob has at most ${MOST_STARS} stars, and never three together`,
      })
      .optional(),
    digest: z
      .string()
      .refine((value) => tryParseDigest(value) !== undefined, 'not a sha256 or sha512 digest')
      .optional(),
    platform: z
      .string()
      .max(64)
      .regex(/^[a-z0-9_.-]+\/[a-z0-9_.-]+(\/[a-z0-9_.-]+)?$/, 'a platform is written like linux/arm64')
      .optional(),
    justification: z.enum(JUSTIFICATIONS).optional(),
    fixDays: z.number().int().min(0).max(365).optional(),
    owner: line(255).optional(),
    reason: line(LONGEST_REASON),
    ticket: line(500).optional(),
    until: z.number().int(),
  })
  .strict();

const schema = fields.superRefine((value, context) => {
  for (const message of problemsOf(value)) context.addIssue({ code: 'custom', message });
});

type Parsed = z.output<typeof fields>;

/** What is wrong between the fields; nothing when each could be. */
function problemsOf(value: Parsed): string[] {
  const { vulnerability, rule, kind } = value;
  const problems: string[] = [];
  if ((vulnerability === undefined) === (rule === undefined))
    problems.push(`name either a vulnerability or a rule (${EXCEPTION_RULES.join(', ')})`);
  if (rule !== undefined) problems.push(...problemsOfRule(value, rule));
  if ((value.version ?? value.versions ?? value.packageType) !== undefined && value.package === undefined)
    problems.push('a version or a package type needs its package');
  if (value.version !== undefined && value.versions !== undefined)
    problems.push('give either one version or a range of versions');
  if (value.versions !== undefined) problems.push(...problemsOfRange(value, value.versions));
  if ((kind === 'not-affected') !== (value.justification !== undefined))
    problems.push(
      kind === 'not-affected'
        ? `say why it is not affected: ${JUSTIFICATIONS.join(', ')}`
        : 'a justification goes with the kind not-affected only',
    );
  if ((kind === 'until-fixed') !== (value.fixDays !== undefined))
    problems.push(
      kind === 'until-fixed'
        ? 'say after how many days of a known fix it ends (fixDays)'
        : 'days after a fix go with the kind until-fixed only',
    );
  return problems;
}

function problemsOfRule(value: Parsed, rule: string): string[] {
  const problems: string[] = [];
  if (value.digest === undefined) problems.push(`an exception from ${rule} is about one image only: give its digest`);
  if (value.package !== undefined) problems.push(`${rule} is about the image as a whole, not about a package`);
  if (value.kind !== 'accepted-risk') problems.push(`an exception from ${rule} can only be an accepted risk`);
  return problems;
}

function problemsOfRange({ package: name, packageType }: Parsed, versions: string): string[] {
  if (name === undefined) return [];
  if (packageType === undefined)
    return [`a range of versions needs the type of the package, to know their order: ${PACKAGE_TYPES.join(', ')}`];
  const scheme = schemeOfType(packageType);
  if (scheme === undefined)
    return [`the order of versions of ${packageType} packages is not known here; give one exact version`];
  const parsed = parseVersionRange(versions, scheme);
  return 'problem' in parsed ? [`the range ${JSON.stringify(versions)} cannot be read: ${parsed.problem}`] : [];
}

/** A request as it is kept. */
export type CheckedException = NewException & { readonly kind: NonNullable<NewException['kind']> };

/**
 * Checks a request, apart from its end; gives it back without white space around texts. Throws `ExceptionError('exception_invalid')`
 * that names what is wrong.
 */
export function checkException(wanted: NewException): CheckedException {
  const parsed = schema.safeParse(wanted);
  if (!parsed.success)
    throw new ExceptionError('exception_invalid', `this exception cannot be: ${schemaProblems(schema, parsed.error)}`);
  return defined(parsed.data);
}

/** Checks the reason of a decision. Throws `ExceptionError('exception_invalid')`. */
export function checkReason(text: string): string {
  const parsed = line(LONGEST_REASON).safeParse(text);
  if (parsed.success) return parsed.data;
  throw new ExceptionError(
    'exception_invalid',
    `a decision needs a reason of at most ${LONGEST_REASON} characters: ${parsed.error.issues.map(({ message }) => message).join('; ')}`,
  );
}
