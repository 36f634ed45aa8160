import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modifiedOf, type OsvChangeWriter, writeOsvChanges } from '../osv/changes.ts';
import { readZip } from '../zip-entries.ts';
import { download, downloadText } from './download.ts';
import { FetchError } from './errors.ts';
import { parallel } from './parallel.ts';
import type { FetchContext, FetchOutcome } from './types.ts';

const MAX_ZIP = 8 * 1024 * 1024 * 1024;
const MAX_LIST = 256 * 1024 * 1024;
const MAX_RECORD = 64 * 1024 * 1024;
/** When more records than this changed, or this part of all, the bulk file costs less than they do one by one. */
const MAX_CHANGED = 5000;
const MAX_PART = 0.2;
/** So few are always fetched one by one. */
const FEW = 50;

/**
 * Brings `<Ecosystem>/all.zip` of OSV's public bucket up to date: the bulk file the first time, later only the records that
 * `modified_id.csv` names as changed, and the bulk file again when they are many. What the list does not name any more is
 * removed, what the bulk file lacks is added. Throws `FetchError`; the records at hand stay as they were then.
 */
export async function fetchOsv(ecosystem: string, context: FetchContext): Promise<FetchOutcome> {
  const folder = join(context.to, 'osv', ecosystem);
  const zip = join(folder, 'all.zip');
  const urls = (file: string) => context.bases.map((base) => `${base}/${encodeURIComponent(ecosystem)}/${file}`);
  const list = join(folder, 'modified_id.csv');
  let { bytes } = await download({ ...context, urls: urls('modified_id.csv'), to: list, limit: MAX_LIST });
  const bulk = async () => {
    const done = await download({ ...context, urls: urls('all.zip'), to: zip, limit: MAX_ZIP, accept: expectZip });
    bytes += done.bytes;
  };
  let whole = !existsSync(zip);
  if (whole) await bulk();
  for (;;) {
    const changes = await writeOsvChanges(zip);
    try {
      const { changed, removed, total } = compare(await readFile(list, 'utf8'), changes, ecosystem);
      const many = changed.length + removed.length;
      if (!whole && many > FEW && (many > MAX_CHANGED || many > total * MAX_PART)) {
        await bulk();
        whole = true;
        continue;
      }
      await parallel(changed, async ({ id, modified }) => {
        const of = urls(`${encodeURIComponent(id)}.json`);
        const json = await downloadText({ ...context, urls: of, limit: MAX_RECORD });
        if (modifiedOf(json) === undefined) throw new FetchError('invalid', `${of[0]} is no OSV record`);
        bytes += Buffer.byteLength(json);
        changes.replace(id, modified, json);
      });
      for (const id of removed) changes.remove(id);
      changes.commit();
      const detail = many === 0 ? 'unchanged' : `${changed.length} changed, ${removed.length} removed`;
      return whole ? { detail: 'fetched whole', changed: true, bytes } : { detail, changed: many > 0, bytes };
    } finally {
      changes.close();
    }
  }
}

async function expectZip(path: string): Promise<void> {
  for await (const _ of readZip(path, MAX_RECORD)) return;
}

interface Difference {
  readonly changed: readonly { readonly id: string; readonly modified: string }[];
  readonly removed: readonly string[];
  readonly total: number;
}

/** What a list of all records, `time,id` a line, says beyond what is known. */
function compare(csv: string, known: OsvChangeWriter, ecosystem: string): Difference {
  const changed: { id: string; modified: string }[] = [];
  const listed = new Set<string>();
  for (const line of csv.split('\n')) {
    const [, modified = '', id = ''] =
      /^(\d{4}-\d\d-\d\dT[\d:.]{8,30}(?:Z|[+-]\d\d:\d\d)),(\S.{0,198}?)\r?$/.exec(line) ?? [];
    if (id === '' || listed.has(id)) continue;
    listed.add(id);
    const last = known.modified(id);
    if (last === undefined || isLater(modified, last)) changed.push({ id, modified });
  }
  if (listed.size === 0) throw new FetchError('invalid', `modified_id.csv of ${ecosystem} names no record`);
  const removed: string[] = [];
  for (const id of known.ids()) if (!listed.has(id)) removed.push(id);
  return { changed, removed, total: listed.size };
}

function isLater(a: string, b: string): boolean {
  const [first, second] = [Date.parse(a), Date.parse(b)];
  // Times to the microsecond: equal milliseconds of different texts count as a change.
  return Number.isNaN(second) || first > second || (first === second && a.length === b.length && a > b);
}
