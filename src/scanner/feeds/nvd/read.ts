import { type FeedReader, type FeedRecord, problem } from '../advisory.ts';
import { readJsonItems } from '../json-items.ts';
import { NVD_FEED, normalizeNvd } from './normalize.ts';
import { nvdCveSchema } from './schema.ts';

/** Reads one NVD 2.0 JSON feed file (`.json` or `.json.gz`), item by item, never the whole. */
export async function* readNvd(path: string): FeedReader {
  for await (const { value } of readJsonItems(path, 'NVD feed', 'vulnerabilities')) yield parseNvdItem(value);
}

/** Facts of one item of `vulnerabilities`. */
export function parseNvdItem(item: unknown): FeedRecord {
  const cve = typeof item === 'object' && item !== null && 'cve' in item ? item.cve : undefined;
  const parsed = nvdCveSchema.safeParse(cve);
  if (parsed.success) return normalizeNvd(parsed.data);
  const [issue] = parsed.error.issues;
  const fact = problem('malformed-record', NVD_FEED, `${issue?.path.join('.')}: ${issue?.message}`);
  return { facts: [fact], feed: NVD_FEED, ecosystems: [] };
}
