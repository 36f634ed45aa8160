import { type FeedFact, type FeedReader, problem } from '../advisory.ts';
import { FeedError } from '../errors.ts';
import { readLines } from '../lines.ts';
import { openMaybeGzip } from '../open.ts';

const EPSS_FEED = 'epss';
const ROW = /^(CVE-\d{4}-\d{4,19}),([\d.eE+-]{1,40})(?:,([\d.eE+-]{1,40}))?$/;

/**
 * Reads EPSS scores from CSV (`.csv` or `.csv.gz`) in all forms published so far: with or without the comment line of
 * model and date, with or without the percentile. Fails with `FeedError` when the columns are not the known ones.
 */
export async function* readEpss(path: string): FeedReader {
  let modified = dateOfName(path);
  let header = false;
  for await (const line of readLines(openMaybeGzip(path), path)) {
    if (line.startsWith('#')) modified = /score_date:([\dT:+-]{10,30})/.exec(line)?.[1] ?? modified;
    else if (!header) header = expectHeader(line, path);
    else if (line !== '') {
      yield { facts: [parseRow(line)], feed: EPSS_FEED, ecosystems: ['*'], ...(modified ? { modified } : {}) };
    }
  }
}

/** Day of the scores: from the file name as published, `epss_scores-2023-03-07.csv.gz`. */
function dateOfName(path: string): string | undefined {
  const day = /epss_scores-(\d{4}-\d\d-\d\d)\.csv/.exec(path)?.[1];
  return day === undefined ? undefined : `${day}T00:00:00Z`;
}

function expectHeader(line: string, path: string): true {
  if (line === 'cve,epss' || line === 'cve,epss,percentile') return true;
  throw new FeedError('malformed', `${path} is no EPSS file: its header is ${JSON.stringify(line.slice(0, 100))}`);
}

function parseRow(line: string): FeedFact {
  const [, id = '', score, rank] = ROW.exec(line) ?? [];
  const [probability, percentile] = [Number(score), Number(rank ?? 0)];
  if (id === '' || !isFraction(probability) || !isFraction(percentile)) {
    return problem('malformed-record', EPSS_FEED, line);
  }
  return { kind: 'epss', id, probability, percentile };
}

function isFraction(value: number): boolean {
  return value >= 0 && value <= 1;
}
