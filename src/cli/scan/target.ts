import { openRegistryImage } from '../../mirror/registry-source.ts';
import { parseReference } from '../../oci/reference.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import { type AnalysedTarget, analyseImage, analyseLocalTarget } from '../../scanner/analyse-image.ts';
import type { ImageSource } from '../../scanner/image-source.ts';
import type { SbomSubject } from '../../scanner/sbom-write/index.ts';
import { openLocalTarget } from '../../scanner/sources/open.ts';
import type { Cli } from '../cli.ts';
import { currentLogin } from '../credentials.ts';
import { CliError } from '../exit.ts';
import { type SourceAccess, sourceClient } from '../registry-end.ts';
import { watchLayers } from './progress.ts';
import { readSbomTarget } from './sbom-target.ts';
import type { ScannedTarget } from './scanned-target.ts';
import { REFERRERS, vexOfImage } from './vex.ts';

export interface TargetOptions extends SourceAccess {
  readonly platform?: string;
  /** Files, and `referrers` for what is attached to the image in its registry. */
  readonly vex?: readonly string[];
}

/**
 * Looks into what the user named: a path of this machine if there is one of that name, else an image of a registry. Throws
 * `CliError('usage')` for what can only be meant as a path, and whatever reading it throws.
 */
export async function analyseTarget(cli: Cli, target: string, options: TargetOptions): Promise<ScannedTarget> {
  const platform = options.platform === undefined ? {} : { platform: options.platform };
  const local = (await readSbomTarget(target)) ?? (await fromPath(cli, target, platform));
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
  return fromRegistry(cli, target, options, platform);
}

async function fromPath(
  cli: Cli,
  path: string,
  platform: { readonly platform?: string },
): Promise<ScannedTarget | undefined> {
  const local = await openLocalTarget(path, platform);
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

async function fromRegistry(
  cli: Cli,
  target: string,
  options: TargetOptions,
  platform: { readonly platform?: string },
): Promise<ScannedTarget> {
  const reference = parseReference(target);
  const http = createHttpClient({ userAgent: 'breakwater' });
  try {
    const client = await sourceClient(cli, http, reference, options, await currentLogin(await cli.config()));
    const { registry, repository, tag } = reference;
    const source = await openRegistryImage(
      { client, repository, reference: reference.digest ?? tag ?? 'latest', name: target },
      platform,
    );
    const analysed = await analyseWatched(cli, source);
    const subject: SbomSubject = {
      kind: 'image',
      name: target,
      ...(analysed.digest ? { digest: analysed.digest } : {}),
      repository: `${registry}/${repository}`,
      ...(tag === undefined ? {} : { tag }),
    };
    const { digest } = analysed;
    const attached =
      options.vex?.includes(REFERRERS) && digest ? await vexOfImage(cli, client, repository, digest) : undefined;
    return { ...analysed, repository, subject, ...(attached ? { attached } : {}) };
  } finally {
    await http.close();
  }
}

async function analyseWatched(cli: Cli, source: ImageSource): Promise<AnalysedTarget> {
  const watched = watchLayers(source, cli.screen);
  try {
    return await analyseImage(watched.source);
  } finally {
    watched.stop();
  }
}

/** A mistyped file name must not become a question to Docker Hub. */
export function looksLikePath(target: string): boolean {
  return /^(?:\.{0,2}\/|~|\.\.?$)|\.(?:tar|tgz|tbz2?|txz|tzst|gz|zst|xz|zip|json|spdx|xml)$/.test(target);
}
