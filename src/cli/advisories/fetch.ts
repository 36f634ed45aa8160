import { systemClock } from '../../platform/clock.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import { oneLine } from '../../platform/one-line.ts';
import { stateFetched } from '../../scanner/advisories/state-fetched.ts';
import { fetchFeeds, type SourceReport } from '../../scanner/feeds/fetch/index.ts';
import { parseMirrors } from '../../scanner/feeds/fetch/mirrors.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit.ts';
import { bytes, type OutputOptions, printAs, table } from '../output.ts';

export interface FetchCommandOptions extends OutputOptions {
  readonly to: string;
  readonly source?: readonly string[];
}

/** Fetches feeds into a folder; a line for each source. Ends with `failure` when one could not be had. Throws `FetchError`. */
export async function fetchCommand(cli: Cli, feeds: readonly string[], options: FetchCommandOptions): Promise<void> {
  const mirrors = parseMirrors(options.source ?? []);
  const http = createHttpClient({ userAgent: 'breakwater', idleTimeoutMs: 120_000 });
  try {
    const reports = await fetchFeeds({
      http,
      to: options.to,
      sources: feeds,
      mirrors,
      now: systemClock.now(),
      onReport: (report) => cli.note(`${report.source}: ${oneLine(describe(report))}`),
    });
    await stateFetched(options.to, reports, systemClock.now());
    printAs(cli, options, reports, () =>
      table(
        ['source', 'result', 'received'],
        reports.map((report) => [report.source, describe(report), report.ok ? bytes(report.bytes) : '-']),
      ),
    );
    if (reports.some(({ ok }) => !ok)) cli.exitWith(EXIT.failure);
  } finally {
    await http.close();
  }
}

function describe(report: SourceReport): string {
  return report.ok ? report.detail : `failed, what was there is kept: ${report.error}`;
}
