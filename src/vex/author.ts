import { z } from 'zod';
import type { Row } from '../db/schema.ts';
import type { VexStatus } from '../model/finding.ts';
import { VexError } from './errors.ts';
import { problemOfScope } from './product-scope.ts';

export const VEX_STATUSES = ['not_affected', 'affected', 'fixed', 'under_investigation'] as const;

/** Somebody whose statements are to count, and the risk analysis behind that. */
export interface NewAuthor {
  /** As policies and findings name it. */
  readonly name: string;
  /** Public key, PEM. */
  readonly key: string;
  /** Globs of package URLs (`pkg:deb/debian/*`) and of repositories (`front/**`) the author may speak of. */
  readonly products: readonly string[];
  readonly statuses: readonly VexStatus[];
  readonly criteria: string;
  readonly findings: string;
  /** Who answers for the decision. */
  readonly owner: string;
  /** Epoch ms. */
  readonly reviewDue: number;
}

export interface VexAuthor extends NewAuthor {
  readonly id: string;
  readonly fingerprint: string;
  /** `review due`: somebody has to look again; the statements go on counting. */
  readonly state: 'declared' | 'review due' | 'retired' | 'revoked';
  readonly addedBy: string;
  readonly addedAt: number;
  readonly retiredBy?: string;
  readonly retiredAt?: number;
  readonly retireReason?: string;
  /** What came before this moment counts, nothing later. */
  readonly revokedAt?: number;
}

const DAY = 86_400_000;
const FURTHEST_REVIEW_DAYS = 732;
// No control characters: names and reasons are printed.
const line = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, 'must be one line without control characters');
const text = z.string().trim().min(1).max(8000);
const schema = z.object({
  name: line(100).regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@/-]*$/u, 'letters, digits, spaces and . _ @ / - only'),
  products: z.array(z.string()).min(1, 'give at least one product').max(50),
  statuses: z.array(z.enum(VEX_STATUSES)).min(1, 'give at least one status').max(VEX_STATUSES.length),
  criteria: text,
  findings: text,
  owner: line(200),
});

/** Checks all but the key; gives it back without white space around texts. Throws `VexError('author_invalid')`. */
export function checkAuthor(wanted: NewAuthor, now: number): NewAuthor {
  const parsed = schema.safeParse(wanted);
  const problems = parsed.success
    ? parsed.data.products.flatMap((scope) => problemOfScope(scope) ?? [])
    : parsed.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  const { reviewDue } = wanted;
  if (!(reviewDue > now && reviewDue <= now + FURTHEST_REVIEW_DAYS * DAY))
    problems.push(`reviewDue: must lie within the next ${FURTHEST_REVIEW_DAYS} days`);
  if (!parsed.success || problems.length > 0)
    throw new VexError('author_invalid', `this author cannot be declared: ${problems.join('; ')}`);
  const { statuses, products, ...rest } = parsed.data;
  return {
    ...wanted,
    ...rest,
    products: [...new Set(products)].sort(),
    statuses: VEX_STATUSES.filter((status) => statuses.includes(status)),
  };
}

export function toAuthor(row: Row<'vex_authors'>, now: number): VexAuthor {
  return {
    id: row.id,
    name: row.name,
    key: row.public_key,
    fingerprint: row.fingerprint,
    products: JSON.parse(row.products) as string[],
    statuses: JSON.parse(row.statuses) as VexStatus[],
    criteria: row.criteria,
    findings: row.findings,
    owner: row.owner,
    reviewDue: row.review_due,
    state: stateOf(row, now),
    addedBy: row.added_by,
    addedAt: row.added_at,
    ...(row.retired_by === null ? {} : { retiredBy: row.retired_by }),
    ...(row.retired_at === null ? {} : { retiredAt: row.retired_at }),
    ...(row.retire_reason === null ? {} : { retireReason: row.retire_reason }),
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
  };
}

function stateOf(row: Row<'vex_authors'>, now: number): VexAuthor['state'] {
  if (row.retired_at !== null) return row.revoked_at === null ? 'retired' : 'revoked';
  return row.review_due <= now ? 'review due' : 'declared';
}

/** Why nothing that came at a moment counts as this author's any more; undefined while it does. */
export function objectionToAuthor(author: VexAuthor, receivedAt: number): string | undefined {
  if (author.state === 'retired') return `${author.name} is retired: ${author.retireReason ?? ''}`;
  if (author.revokedAt === undefined || receivedAt < author.revokedAt) return undefined;
  return `the key of ${author.name} was revoked at ${new Date(author.revokedAt).toISOString()}, before this came`;
}
