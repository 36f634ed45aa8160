import { setInterval } from 'node:timers';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { compileRepos } from '../trust/compile.ts';
import type { SourceStore } from '../trust/source-store.ts';

const REFRESH_MS = 5000;

/** The trusted set in memory, for a webhook that must not wait: read now, and again every few seconds. */
export async function followTrustedRepos(deps: {
  readonly trust: Pick<SourceStore, 'approvedEntries'>;
  readonly logger: Logger;
}) {
  let repos: readonly string[] = [];
  async function refresh(): Promise<void> {
    repos = compileRepos(await deps.trust.approvedEntries());
  }
  await refresh();
  const timer = setInterval(() => {
    refresh().catch((error: unknown) =>
      deps.logger.warn({ error: messageOf(error) }, 'trusted sources could not be read'),
    );
  }, REFRESH_MS);
  timer.unref();
  return { repos: () => repos, refresh, stop: () => clearInterval(timer) };
}
