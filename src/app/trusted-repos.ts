import { setInterval } from 'node:timers';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { compileRepos } from '../trust/compile.ts';
import type { SourceStore } from '../trust/source-store.ts';

const REFRESH_MS = 5000;

/** The trusted set in memory, for a webhook that must not wait: read now, and again every few seconds. */
export async function followTrustedRepos(deps: {
  readonly trust: Pick<SourceStore, 'approvedEntries'>;
  readonly clock: Clock;
  readonly logger: Logger;
}) {
  let repos: readonly string[] = [];
  let readAt = 0;
  async function refresh(): Promise<void> {
    const asOf = deps.clock.now();
    repos = compileRepos(await deps.trust.approvedEntries());
    readAt = asOf;
  }
  await refresh();
  const timer = setInterval(() => {
    refresh().catch((error: unknown) =>
      deps.logger.warn({ error: messageOf(error) }, 'trusted sources could not be read'),
    );
  }, REFRESH_MS);
  timer.unref();
  return { repos: () => repos, /** Epoch ms. */ readAt: () => readAt, refresh, stop: () => clearInterval(timer) };
}
