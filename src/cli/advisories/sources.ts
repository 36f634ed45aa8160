import type { AdvisorySource } from '../../model/coverage.ts';
import { table } from '../output.ts';

/** Where the facts come from, a row for each feed and ecosystem. */
export function sourceTable(sources: readonly AdvisorySource[]): string {
  return table(
    ['ecosystem', 'feed', 'reach', 'records', 'newest', 'note'],
    sources.map(({ ecosystem, feed, completeness, records, newest, note }) => [
      ecosystem,
      feed,
      completeness,
      String(records),
      newest?.slice(0, 10) ?? '-',
      note ?? '',
    ]),
  );
}
