import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseCsafDocument } from '../csaf/parse.ts';
import { download, downloadText } from './download.ts';
import { FetchError } from './errors.ts';
import { parallel } from './parallel.ts';
import type { FetchContext, FetchOutcome } from './types.ts';

const MAX_ARCHIVE = 4 * 1024 * 1024 * 1024;
const MAX_LIST = 64 * 1024 * 1024;
const MAX_DOCUMENT = 512 * 1024 * 1024;
const MAX_CHANGED = 5000;
const DAY = 86_400_000;
/** An archive at hand serves this long, with the changes since. */
const ARCHIVE_DAYS = 7;
const ARCHIVE = /^csaf_vex_(\d{4}-\d\d-\d\d)\.tar\.zst$/;
const ROW = /^"?(\d{4}\/cve-\d{4}-\d{4,19}\.json)"?,"?([\dT:.+-]{10,40}Z?)"?\r?$/;

/**
 * Brings Red Hat's CSAF VEX documents up to date: `csaf/csaf_vex.tar.zst` (the archive `archive_latest.txt` names, anew when a
 * week old) and in `csaf/changes` the documents that `changes.csv` names since, and empty ones for those that `deletions.csv`
 * names. Throws `FetchError`; what is at hand stays then.
 */
export async function fetchCsaf(context: FetchContext): Promise<FetchOutcome> {
  const folder = join(context.to, 'csaf');
  const text = (file: string) =>
    downloadText({ ...context, urls: context.bases.map((base) => `${base}/${file}`), limit: MAX_LIST });
  const latest = (await text('archive_latest.txt')).trim();
  const [, day = ''] = ARCHIVE.exec(latest) ?? [];
  if (day === '') throw new FetchError('invalid', `archive_latest.txt names no archive: ${latest.slice(0, 100)}`);
  const [changes, deletions] = await Promise.all([text('changes.csv'), text('deletions.csv').catch(ifAbsent)]);
  const have = await dayAtHand(folder);
  const recent = have !== undefined && Date.parse(day) - Date.parse(have) < ARCHIVE_DAYS * DAY;
  let wanted = recent ? rowsSince(have, changes, deletions) : undefined;
  let bytes = 0;
  const whole = wanted === undefined || wanted.length > MAX_CHANGED;
  if (whole) {
    bytes += await fetchArchive(latest, day, folder, context);
    wanted = rowsSince(day, changes, deletions);
    if (wanted.length > MAX_CHANGED)
      throw new FetchError('invalid', `over ${MAX_CHANGED} documents changed since ${day}`);
  }
  const missing = await outdated(wanted ?? [], folder);
  await parallel(missing, async (row) => {
    bytes += await fetchDocument(row, folder, context);
  });
  const detail = missing.length === 0 ? 'unchanged' : `${missing.length} documents changed`;
  return { changed: whole || missing.length > 0, bytes, detail: whole ? 'fetched whole' : detail };
}

interface Row {
  /** `2024/cve-2024-0727.json`. */
  readonly path: string;
  /** Epoch ms. */
  readonly at: number;
  readonly deleted: boolean;
}

/** What changed or was deleted from the day of an archive on; of two rows about one document the later. */
function rowsSince(day: string, changes: string, deletions: string): readonly Row[] {
  // The archive may have been made before the end of that day.
  const since = Date.parse(day);
  const rows = new Map<string, Row>();
  for (const [csv, deleted] of [
    [changes, false],
    [deletions, true],
  ] as const) {
    for (const line of csv.split('\n')) {
      const [, path = '', time = ''] = ROW.exec(line) ?? [];
      const at = Date.parse(time);
      if (path !== '' && at >= since && at > (rows.get(path)?.at ?? 0)) rows.set(path, { path, at, deleted });
    }
  }
  return [...rows.values()];
}

async function outdated(rows: readonly Row[], folder: string): Promise<readonly Row[]> {
  const known = await Promise.all(rows.map(({ path }) => stat(join(folder, 'changes', path)).catch(() => undefined)));
  return rows.filter(({ at }, i) => (known[i]?.mtimeMs ?? 0) < at);
}

async function fetchArchive(name: string, day: string, folder: string, context: FetchContext): Promise<number> {
  const urls = context.bases.map((base) => `${base}/${name}`);
  const { bytes } = await download({ ...context, urls, to: join(folder, 'csaf_vex.tar.zst'), limit: MAX_ARCHIVE });
  // Changes to an older archive are in the new one.
  await rm(join(folder, 'changes'), { recursive: true, force: true });
  await writeFile(join(folder, 'archive-day.txt'), `${day}\n`);
  return bytes;
}

async function dayAtHand(folder: string): Promise<string | undefined> {
  const [day, archive] = await Promise.all([
    readFile(join(folder, 'archive-day.txt'), 'utf8').catch(() => undefined),
    stat(join(folder, 'csaf_vex.tar.zst')).catch(() => undefined),
  ]);
  return archive === undefined ? undefined : day?.trim();
}

/** A document in its place, dated by its change. One that was deleted is replaced by one that says nothing. */
async function fetchDocument({ path, at, deleted }: Row, folder: string, context: FetchContext): Promise<number> {
  const to = join(folder, 'changes', path);
  await mkdir(dirname(to), { recursive: true });
  const part = `${to}.part`;
  let bytes = 0;
  if (deleted) await writeFile(part, emptyDocument(path));
  else {
    await rm(`${part}.state`, { force: true });
    const urls = context.bases.map((base) => `${base}/${path}`);
    const done = await download({ ...context, urls, to: part, limit: MAX_DOCUMENT, accept: expectDocument });
    bytes = done.bytes;
    await rm(`${part}.state`, { force: true });
  }
  await utimes(part, at / 1000, at / 1000);
  await rename(part, to);
  return bytes;
}

function emptyDocument(path: string): string {
  const id = basename(path, '.json').toUpperCase();
  return JSON.stringify({ document: { csaf_version: '2.0', tracking: { id } } });
}

async function expectDocument(path: string): Promise<void> {
  const { size } = await stat(path);
  if (size > 8 * 1024 * 1024) return;
  const { facts } = parseCsafDocument(await readFile(path, 'utf8'), basename(path));
  const [fact] = facts;
  if (facts.length === 1 && fact?.kind === 'problem' && fact.problem === 'malformed-record')
    throw new Error(fact.detail);
}

/** A source that never deleted anything has no list of it. */
function ifAbsent(error: unknown): string {
  if (error instanceof FetchError && /answered 404/.test(error.message)) return '';
  throw error;
}
