import { z } from 'zod';
import type { WantedException } from '../../api/contract/exceptions.ts';
import { PACKAGE_TYPES } from '../../model/inventory.ts';
import { defined } from '../../platform/defined.ts';
import { isRecord } from '../../platform/json-object.ts';
import { schemaProblems } from '../../platform/schema-problems.ts';
import { EXCEPTION_KINDS, EXCEPTION_RULES, JUSTIFICATIONS } from '../../policy/exceptions.ts';
import { CliError } from '../exit.ts';
import { endIn, type FileEntries, type FileEntry } from './wanted.ts';

const text = z.string().max(4000).optional();

const entrySchema = z
  .object({
    kind: z.enum(EXCEPTION_KINDS).optional(),
    vulnerability: text,
    rule: z.enum(EXCEPTION_RULES).optional(),
    package: text,
    packageType: z.enum(PACKAGE_TYPES).optional(),
    version: text,
    versions: text,
    repository: text,
    digest: text,
    platform: text,
    justification: z.enum(JUSTIFICATIONS).optional(),
    fixDays: z.number().int().optional(),
    owner: text,
    reason: text,
    ticket: text,
    until: z.unknown().optional(),
  })
  .strict();

/** Reads requests that were written down: a list of them, or `exceptions: [...]`. Throws `CliError('usage')` with the place. */
export function readRequests(value: unknown, path: string): FileEntries {
  const list = isRecord(value) ? value['exceptions'] : value;
  if (!Array.isArray(list))
    throw new CliError('usage', `${path}: write a list of exceptions, or "exceptions:" with the list below it`);
  const entries = list.map((item: unknown, at): FileEntry => {
    const place = `${path}, exception ${at + 1}`;
    const parsed = entrySchema.safeParse(item);
    if (!parsed.success) throw new CliError('usage', `${place}: ${schemaProblems(entrySchema, parsed.error)}`);
    const { until, ...said } = parsed.data;
    return {
      ...(defined(said) as Partial<WantedException>),
      ...(until === undefined ? {} : { until: endIn(until, place) }),
    };
  });
  return { entries, left: [] };
}
