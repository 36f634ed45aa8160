import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../../platform/errors.ts';
import { baseOf } from '../matcher/ecosystem.ts';
import { AdvisoryDatabaseError } from './errors.ts';

/** File in a folder of feeds that says what the copies in it are worth. */
export const MANIFEST_NAME = 'breakwater-feeds.json';

const statementSchema = z
  .object({
    /** `alpine-secdb`, `osv:npm`, `nvd`, … or `osv` for every OSV ecosystem. */
    feed: z.string().min(1),
    /** Narrows to one ecosystem, release included or not: `Alpine:v3.20`, `Debian`. */
    ecosystem: z.string().min(1).optional(),
    completeness: z.enum(['complete', 'sample']),
    /** Day the copy stands for, where its records carry no dates of their own. */
    asOf: z.iso.date().optional(),
    note: z.string().max(500).optional(),
  })
  .strict();

const manifestSchema = z
  .object({
    version: z.literal(1),
    feeds: z.array(statementSchema).max(10_000).default([]),
    /** Base ecosystems to leave out of the database, each with the reason. */
    exclude: z.array(z.object({ ecosystem: z.string().min(1), reason: z.string().min(1) }).strict()).default([]),
  })
  .strict();

export type FeedStatement = z.infer<typeof statementSchema>;
export type FeedManifest = z.infer<typeof manifestSchema>;

/**
 * The statements that hold for a folder: those of the given file, else those of `breakwater-feeds.json` in the folder, else
 * none. Fails with `AdvisoryDatabaseError('bad_manifest')`.
 */
export async function readManifest(folder: string, file?: string): Promise<FeedManifest> {
  const path = file ?? join(folder, MANIFEST_NAME);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (file === undefined) return { version: 1, feeds: [], exclude: [] };
    throw new AdvisoryDatabaseError('bad_manifest', `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    const detail = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause);
    throw new AdvisoryDatabaseError('bad_manifest', `${path} is no statement about feeds: ${detail}`, { cause });
  }
}

/**
 * What is stated about one feed and ecosystem; the narrowest statement wins. Without any, a copy counts as a sample, because
 * nothing in it can prove that it is whole, except Alpine's security database, whose files hold a branch each.
 */
export function statementFor(manifest: FeedManifest, feed: string, ecosystem: string): Omit<FeedStatement, 'feed'> {
  const family = feed.split(':', 1)[0] ?? feed;
  for (const name of [feed, family]) {
    for (const scope of [ecosystem, baseOf(ecosystem), undefined]) {
      const found = manifest.feeds.find((statement) => statement.feed === name && statement.ecosystem === scope);
      if (found !== undefined) return found;
    }
  }
  if (feed === 'alpine-secdb') return { completeness: 'complete' };
  return { completeness: 'sample', note: `nobody has stated that this copy is complete (${MANIFEST_NAME})` };
}
