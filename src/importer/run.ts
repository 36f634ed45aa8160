import { createBoundedMap } from '../auth/bounded-map.ts';
import { CodedError } from '../platform/errors.ts';
import { createLimit, forEachOf } from '../platform/parallel.ts';
import { ImportError } from './errors.ts';
import type { ImportDeps, ImportOptions } from './options.ts';
import type { ImportReport } from './report.ts';
import { createRepositoryImport } from './repository.ts';

/** Where blobs were put that others may be mounted from, as many as fit. */
const HOMES_KEPT = 200_000;

/**
 * Brings everything over that the target does not have: blobs, then manifests from the leaves up, tags last. What cannot be brought is told to
 * `onProblem` and stops nothing else; what is done is counted in `report`. Throws `ImportError('gave_up')` when one side does not answer any more.
 */
export async function importAll(deps: ImportDeps, options: ImportOptions, report: ImportReport): Promise<void> {
  const { source, target, patience } = deps;
  const shared = { homes: createBoundedMap<string>(HOMES_KEPT), limit: createLimit(options.jobs) };

  function problem(what: string, error: unknown): void {
    if (!(error instanceof CodedError) || (error instanceof ImportError && error.code === 'gave_up')) throw error;
    options.onProblem({ what, reason: error.message });
  }

  async function importRepository(repository: string): Promise<void> {
    const here = options.nameHere(repository);
    await patience('target', () => target.requireProject(here.slice(0, here.indexOf('/'))));
    const one = createRepositoryImport(deps, options, { ...shared, report, repository, here });
    await forEachOf(source.tags(repository), options.jobs, async (tag) => {
      if (!options.filter.tag(repository, tag)) return;
      try {
        await one.importTag(tag, (digest, error) => problem(`${repository}@${digest}`, error));
      } catch (error) {
        problem(`${repository}:${tag}`, error);
      }
    });
    if (options.taggedOnly || !source.revisions || !options.filter.untagged(repository)) return;
    await forEachOf(source.revisions(repository), options.jobs, async (digest) => {
      // One that failed below a tag has been named there.
      if (one.tried(digest)) return;
      try {
        await one.importManifest(digest);
      } catch (error) {
        problem(`${repository}@${digest}`, error);
      }
    });
  }

  for await (const repository of source.repositories()) {
    if (!options.filter.repository(repository)) continue;
    try {
      await importRepository(repository);
      report.repositories += 1;
      options.onRepository(repository);
    } catch (error) {
      problem(repository, error);
    }
  }
}
