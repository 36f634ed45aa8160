import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { messageOf } from '../../../platform/errors.ts';
import { readBounded } from '../../../platform/streams.ts';
import { type FeedReader, problem } from '../advisory.ts';
import { FeedError } from '../errors.ts';

const KEV_FEED = 'cisa-kev';
/** The catalogue of 2025 has 1.3 megabytes. */
const MAX_BYTES = 64 * 1024 * 1024;

const catalogueSchema = z.object({ dateReleased: z.string().max(50), vulnerabilities: z.array(z.unknown()) });
const entrySchema = z.object({
  cveID: z.string().regex(/^CVE-\d{4}-\d{4,19}$/),
  dateAdded: z.string().regex(/^\d{4}-\d\d-\d\d$/),
});

/** Reads CISA's catalogue of known exploited vulnerabilities (JSON form). */
export async function* readKev(path: string): FeedReader {
  const bytes = await readBounded(createReadStream(path), MAX_BYTES, path);
  let catalogue: z.infer<typeof catalogueSchema>;
  try {
    catalogue = catalogueSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new FeedError('malformed', `${path} is no KEV catalogue: ${messageOf(cause)}`, { cause });
  }
  for (const item of catalogue.vulnerabilities) {
    const entry = entrySchema.safeParse(item);
    const fact = entry.success
      ? ({ kind: 'kev', id: entry.data.cveID, added: entry.data.dateAdded } as const)
      : problem('malformed-record', KEV_FEED, entry.error.issues[0]?.message ?? 'malformed');
    yield { facts: [fact], feed: KEV_FEED, ecosystems: ['*'], modified: catalogue.dateReleased };
  }
}
