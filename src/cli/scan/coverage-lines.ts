import type { AdvisorySource, Coverage } from '../../model/coverage.ts';
import { counted } from '../../platform/counted.ts';
import { cut } from './paper.ts';

const GAPS_SHOWN = 5;
const OLD_AFTER_DAYS = 7;
const LONGEST_LINE = 500;
const DAY = 86_400_000;

/** How far an answer reaches: the distribution, where the advisories come from and how old they are, what was not seen. */
export function coverageLines(coverage: Coverage, now: number): string[] {
  const { distribution, gaps, missing, sources, database } = coverage;
  const lines = [
    `distribution: ${distributionText(distribution)}`,
    ...sources.map((source) => `advisories: ${sourceText(source, isBacked(source, sources), now)}`),
    ...missing.map((ecosystem) => `advisories: none for ${ecosystem}, so nothing can be said about its packages`),
    databaseLine(database, now),
    ...gaps.slice(0, GAPS_SHOWN).map(({ message }) => `not seen: ${message}`),
    ...(gaps.length > GAPS_SHOWN ? [`not seen: ${counted(gaps.length - GAPS_SHOWN, 'more thing')}; see -o json`] : []),
  ];
  return lines.map((line) => cut(line, LONGEST_LINE));
}

function databaseLine(database: Coverage['database'], now: number): string {
  if (!database)
    return 'database: none, so nothing can be said; get one with "breakwater db build", then "breakwater db import"';
  const days = (now - Date.parse(database.builtAt)) / DAY;
  const old = days > OLD_AFTER_DAYS ? '; OLD: what became known since then is missing' : '';
  return `database: ${database.version.slice(0, 19)}, built ${age(database.builtAt, now)}${old}`;
}

function distributionText({ recognised, name, rolling, endOfLife }: Coverage['distribution']): string {
  if (!recognised) return name === undefined ? 'none was recognised' : `${name}, for which no advisories are known`;
  const notes = [
    ...(rolling ? ['rolling release'] : []),
    ...(endOfLife === undefined ? [] : [`fixes until ${endOfLife}`]),
  ];
  return `${name ?? 'recognised'}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

/** True when another source of the ecosystem is complete: then a sample beside it takes nothing away. */
function isBacked({ ecosystem }: AdvisorySource, sources: readonly AdvisorySource[]): boolean {
  return sources.some((other) => other.ecosystem === ecosystem && other.completeness === 'complete');
}

function sourceText(source: AdvisorySource, backed: boolean, now: number): string {
  const { ecosystem, feed, completeness, records, newest } = source;
  const sample = backed ? 'a sample' : 'a SAMPLE: silence proves nothing';
  const reach = completeness === 'complete' ? 'complete' : sample;
  const date = newest === undefined ? '' : `, newest ${age(newest, now)}`;
  return `${ecosystem} from ${feed}, ${reach}, ${counted(records, 'record')}${date}`;
}

/** `2026-05-01 (12 days ago)`. */
function age(date: string, now: number): string {
  const then = Date.parse(date);
  const day = date.slice(0, 10);
  if (Number.isNaN(then)) return day;
  const days = Math.floor((now - then) / DAY);
  return days < 0 ? `${day} (in the future)` : `${day} (${days === 0 ? 'today' : `${counted(days, 'day')} ago`})`;
}
