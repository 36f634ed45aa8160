import { toRfc3339 } from '../../platform/clock.ts';
import { fieldAt, isRecord } from '../../platform/json-object.ts';
import { CliError } from '../exit.ts';
import type { FileEntries, FileEntry } from './wanted.ts';

const LATEST_MS = Date.parse('9999-12-31T23:59:59Z');

/**
 * Reads an allow-list as Harbor's API gives it, `{expires_at, items: [{cve_id}]}`, or a project or a system document with one in it.
 * A list without an end has none in Harbor's sense; here somebody has to say one. Throws `CliError('usage')`.
 */
export function readHarborAllowlist(value: unknown, path: string): FileEntries {
  const list = fieldAt(value, 'cve_allowlist') ?? value;
  const items = fieldAt(list, 'items');
  if (!Array.isArray(items))
    throw new CliError('usage', `${path}: this is no allow-list of Harbor; it would have "items": [{"cve_id": …}]`);
  const until = endOfList(fieldAt(list, 'expires_at'), path);
  const entries = items.map((item: unknown, at): FileEntry => {
    const id = isRecord(item) ? item['cve_id'] : undefined;
    if (typeof id !== 'string' || id === '') throw new CliError('usage', `${path}: item ${at + 1} has no cve_id`);
    return { vulnerability: id, ...(until === undefined ? {} : { until }) };
  });
  return { entries, left: [] };
}

/** Seconds since 1970; null, 0 and none at all: never. */
function endOfList(value: unknown, path: string): string | undefined {
  if (value === undefined || value === null || value === 0) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value * 1000 > LATEST_MS)
    throw new CliError('usage', `${path}: expires_at is no time in seconds since 1970`);
  return toRfc3339(value * 1000);
}
