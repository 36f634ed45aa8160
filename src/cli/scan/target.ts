import { analyseLocalTarget } from '../../scanner/analyse-image.ts';
import type { SourceOptions } from '../../scanner/image-source.ts';
import { openLocalTarget } from '../../scanner/sources/open.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';
import { analyseWatched } from './progress.ts';
import { readSbomTarget } from './sbom-target.ts';
import type { ScannedTarget } from './scanned-target.ts';
import { REFERRERS, type TargetOptions } from './target-options.ts';

/**
 * Looks into what the user named: a path of this machine if there is one of that name, else an image of a registry. Throws
 * `CliError('usage')` for what can only be meant as a path, and whatever reading it throws.
 */
export async function analyseTarget(cli: Cli, target: string, options: TargetOptions): Promise<ScannedTarget> {
  const { platform, image } = options;
  const choice = { ...(platform === undefined ? {} : { platform }), ...(image === undefined ? {} : { image }) };
  const document = await readSbomTarget(target);
  if (document && image !== undefined)
    throw new CliError('usage', `${target} is a bill of materials: it has no image ${image} to choose`);
  const local = document ?? (await fromPath(cli, target, choice));
  if (local) {
    if (options.vex?.includes(REFERRERS))
      throw new CliError('usage', `--vex ${REFERRERS} needs an image in a registry; ${target} is a file or folder`);
    return local;
  }
  if (looksLikePath(target))
    throw new CliError(
      'usage',
      `there is no file or folder ${target}; give an archive, a folder, a bill of materials or an image reference`,
    );
  if (image !== undefined)
    throw new CliError('usage', `--image chooses from a file or folder; there is none of the name ${target}`);
  const { analyseRegistryImage } = await import('./registry-target.ts');
  return analyseRegistryImage(cli, target, options, choice);
}

async function fromPath(cli: Cli, path: string, choice: SourceOptions): Promise<ScannedTarget | undefined> {
  const local = await openLocalTarget(path, choice);
  if (!local) return undefined;
  if (local.kind === 'folder') {
    const analysed = await analyseLocalTarget(path);
    return analysed && { ...analysed, repository: '', subject: { kind: 'folder', name: path } };
  }
  try {
    const analysed = await analyseWatched(cli, local.source);
    const { name, digest } = analysed;
    return { ...analysed, repository: '', subject: { kind: 'image', name, ...(digest ? { digest } : {}) } };
  } finally {
    await local.source.close();
  }
}

/** A mistyped file name must not become a question to Docker Hub. */
export function looksLikePath(target: string): boolean {
  return /^(?:\.{0,2}\/|~|\.\.?$)|\.(?:tar|tgz|tbz2?|txz|tzst|gz|zst|xz|zip|json|spdx|xml)$/.test(target);
}
