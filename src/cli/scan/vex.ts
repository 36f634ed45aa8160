import type { RegistryClient } from '../../mirror/registry-client.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { counted } from '../../platform/counted.ts';
import { oneLine } from '../../platform/one-line.ts';
import { readBounded } from '../../platform/streams.ts';
import { type Referrers, readVexFile, type VexStatement, vexFromReferrers } from '../../scanner/vex/index.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';

const PROBLEMS_SHOWN = 10;

/**
 * Statements of the named files. Throws `CliError('failed')` for a file that gives none: what was meant to be taken into
 * account must not be missing unnoticed. What of the others could not be used is noted.
 */
export async function vexOfFiles(cli: Pick<Cli, 'note'>, paths: readonly string[]): Promise<readonly VexStatement[]> {
  const statements: VexStatement[] = [];
  for (const path of paths) {
    const reading = await readVexFile(path);
    if (reading.statements.length === 0)
      throw new CliError('failed', oneLine(reading.problems[0] ?? `${path} holds no VEX statement`));
    note(cli, reading.problems);
    statements.push(...reading.statements);
  }
  return statements;
}

/** Statements attached to an image in its registry. */
export async function vexOfImage(
  cli: Pick<Cli, 'note'>,
  client: RegistryClient,
  repository: string,
  image: Digest,
): Promise<readonly VexStatement[]> {
  const { statements, problems } = await vexFromReferrers(referrersOf(client, repository), image);
  note(cli, problems);
  return statements;
}

function note(cli: Pick<Cli, 'note'>, problems: readonly string[]): void {
  for (const problem of problems.slice(0, PROBLEMS_SHOWN)) cli.note(oneLine(`vex: ${problem.slice(0, 500)}`));
  const more = problems.length - PROBLEMS_SHOWN;
  if (more > 0) cli.note(`vex: ${counted(more, 'more problem')}`);
}

function referrersOf(client: RegistryClient, repository: string): Referrers {
  return {
    async list(subject) {
      const found = await client.getReferrers(repository, subject);
      if (!found) return [];
      return parseManifest(found.content, found.mediaType).children;
    },
    async layers(artifact) {
      const found = await client.getManifest(repository, artifact);
      if (!found) return { layers: [] };
      const { artifactType, layers } = parseManifest(found.content, found.mediaType);
      return { ...(artifactType === undefined ? {} : { artifactType }), layers };
    },
    async blob(digest, limit) {
      const found = await client.getBlob(repository, digest);
      if (!found) throw new CliError('failed', `${client.host} has no blob ${digest} in ${repository}`);
      return readBounded(found.content, limit, `the blob ${digest}`);
    },
  };
}
