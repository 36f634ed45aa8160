import { InvalidArgumentError } from 'commander';
import type { WantedException } from '../../api/contract/exceptions.ts';
import { defined } from '../../platform/defined.ts';
import { CliError } from '../exit.ts';
import { endOf } from '../moments.ts';

/** What a file says of one exception; what it leaves out is told on the command line. */
export type FileEntry = Partial<WantedException>;

/** Entries of a file, and what in it is not about vulnerabilities and was left. */
export interface FileEntries {
  readonly entries: readonly FileEntry[];
  readonly left: readonly string[];
}

/** What counts for entries that do not say it themselves. */
export interface Told {
  readonly until?: string | undefined;
  readonly reason?: string | undefined;
  readonly owner?: string | undefined;
  readonly ticket?: string | undefined;
}

/** Puts what was told under each entry. Throws `CliError('usage')` when something is still missing. */
export function completed(
  entries: readonly FileEntry[],
  told: Told & { readonly repository?: string | undefined },
): WantedException[] {
  const { until, reason, owner, ticket, repository } = told;
  const given: Partial<WantedException> = defined({ until, reason, owner, ticket, repository });
  return entries.map((entry) => {
    const merged = { ...given, ...entry };
    const missing = (['until', 'reason'] as const).filter((name) => merged[name] === undefined);
    if (missing.length > 0) {
      const what = entry.vulnerability ?? entry.rule ?? 'an exception';
      throw new CliError(
        'usage',
        `${what} has no ${missing.join(' and no ')}; give ${missing.map((name) => `--${name}`).join(' and ')}`,
      );
    }
    return merged as WantedException;
  });
}

/** Reads the end date of an entry: a day is meant to its end (UTC). Throws `CliError('usage')` with the place. */
export function endIn(value: unknown, place: string): string {
  if (typeof value !== 'string') throw new CliError('usage', `${place}: write the end as a day like 2027-01-31`);
  try {
    return endOf(value);
  } catch (error) {
    if (error instanceof InvalidArgumentError)
      throw new CliError('usage', `${place}: ${JSON.stringify(value.slice(0, 60))}: ${error.message}`);
    throw error;
  }
}
