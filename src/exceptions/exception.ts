import { z } from 'zod';
import type { Row } from '../db/schema.ts';
import { PACKAGE_TYPES, type PackageType } from '../model/inventory.ts';
import { tryParseDigest } from '../oci/digest.ts';
import type { GrantedException } from '../policy/exceptions.ts';
import { ExceptionError } from './errors.ts';

/** What somebody asks for: that one vulnerability does not count, for a reason and a time, here or in a part of here. */
export interface NewException {
  /** CVE, GHSA or any other id of the vulnerability. */
  readonly vulnerability: string;
  /** Package or source package it is limited to. */
  readonly package?: string;
  readonly packageType?: PackageType;
  /** Exact installed version it is limited to; needs the package. */
  readonly version?: string;
  /** Glob of repositories below the project: `*` inside a path segment, `**` across. */
  readonly repository?: string;
  /** Manifest digest it is limited to. */
  readonly digest?: string;
  readonly reason: string;
  readonly ticket?: string;
  /** Epoch ms at which it is over. */
  readonly until: number;
}

export type ExceptionState = 'requested' | 'granted' | 'denied' | 'revoked';

/** A request and what became of it. */
export interface ExceptionRecord extends NewException {
  readonly id: string;
  readonly projectId: string;
  readonly state: ExceptionState;
  /** Its end has passed: it does not count any more, whatever its state. */
  readonly expired: boolean;
  readonly requestedBy: string;
  readonly requestedAt: number;
  /** The last decision; every one before is in the ledger. */
  readonly decidedBy?: string;
  readonly decidedAt?: number;
  readonly decisionReason?: string;
  /** Granted by the person who asked for it, where that is allowed. */
  readonly singleHanded: boolean;
  /** Epoch ms from which it counts; present once granted. */
  readonly validFrom?: number;
}

const DAY = 86_400_000;
const text = (longest: number) => z.string().trim().min(1).max(longest);
const schema = z
  .object({
    vulnerability: z.string().regex(/^[\w][\w.:/+ -]{1,126}\w$/, 'give an id such as CVE-2024-1234'),
    package: text(255).optional(),
    packageType: z.enum(PACKAGE_TYPES).optional(),
    version: text(255).optional(),
    repository: z
      .string()
      .max(255)
      .regex(/^[a-z0-9._/*-]+$/, 'a glob of repository paths below the project, like team/** or app')
      .optional(),
    digest: z
      .string()
      .refine((value) => tryParseDigest(value) !== undefined, 'not a sha256 or sha512 digest')
      .optional(),
    reason: text(4000),
    ticket: text(500).optional(),
    until: z.number().int(),
  })
  .refine(({ version, ...rest }) => version === undefined || rest.package !== undefined, 'a version needs its package')
  .refine(
    (value) => value.packageType === undefined || value.package !== undefined,
    'a package type needs its package',
  );

/** Checks a request; gives it back without white space around texts. Throws `ExceptionError('exception_invalid')`. */
export function checkException(wanted: NewException, now: number, mostDays: number): NewException {
  const parsed = schema.safeParse(wanted);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) =>
      [path.join('.'), message].filter(Boolean).join(': '),
    );
    throw new ExceptionError('exception_invalid', `this exception cannot be: ${problems.join('; ')}`);
  }
  checkEnd(wanted.until, now, mostDays);
  // Only what was given: an absent field must stay absent.
  return Object.fromEntries(
    Object.entries(parsed.data).filter(([, value]) => value !== undefined),
  ) as unknown as NewException;
}

function checkEnd(until: number, now: number, mostDays: number): void {
  if (until <= now) throw new ExceptionError('exception_invalid', 'the end date must lie in the future');
  if (until > now + mostDays * DAY)
    throw new ExceptionError(
      'exception_invalid',
      `the end date must lie within ${mostDays} days; ask again when it ends`,
    );
}

export function toRecord(row: Row<'exceptions'>, now: number): ExceptionRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    vulnerability: row.vulnerability,
    ...present('package', row.package),
    ...present('packageType', row.package_type as PackageType | null),
    ...present('version', row.version),
    ...present('repository', row.repository_glob),
    ...present('digest', row.digest),
    reason: row.reason,
    ...present('ticket', row.ticket),
    state: row.state as ExceptionState,
    expired: row.until <= now,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    ...present('decidedBy', row.decided_by),
    ...present('decidedAt', row.decided_at),
    ...present('decisionReason', row.decision_reason),
    singleHanded: row.single_handed === 1,
    ...present('validFrom', row.valid_from),
    until: row.until,
  };
}

/** The form that `judge` takes. */
export function toGranted(row: Row<'exceptions'>): GrantedException {
  return {
    id: row.id,
    vulnerability: row.vulnerability,
    ...(row.package === null
      ? {}
      : { package: { name: row.package, ...present('type', row.package_type as PackageType | null) } }),
    ...present('version', row.version),
    ...present('repository', row.repository_glob),
    ...present('digest', row.digest),
    from: row.valid_from ?? row.until,
    until: row.until,
  };
}

function present<Name extends string, Value>(name: Name, value: Value | null): { readonly [key in Name]?: Value } {
  return (value === null ? {} : { [name]: value }) as { readonly [key in Name]?: Value };
}
