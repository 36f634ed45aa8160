import { openRegistryImage } from '../../mirror/registry-source.ts';
import { parseReference } from '../../oci/reference.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import { type AnalysedTarget, analyseImage, analyseLocalTarget } from '../../scanner/analyse-image.ts';
import type { Cli } from '../cli.ts';
import { currentLogin } from '../credentials.ts';
import { CliError } from '../exit.ts';
import { type SourceAccess, sourceClient } from '../registry-end.ts';

export interface TargetOptions extends SourceAccess {
  readonly platform?: string;
}

/** The name used in messages and, for images of a registry, the repository. */
export interface ScannedTarget extends AnalysedTarget {
  readonly repository: string;
}

/**
 * Looks into what the user named: a path of this machine if there is one of that name, else an image of a registry. Throws
 * `CliError('usage')` for what can only be meant as a path, and whatever reading it throws.
 */
export async function analyseTarget(cli: Cli, target: string, options: TargetOptions): Promise<ScannedTarget> {
  const platform = options.platform === undefined ? {} : { platform: options.platform };
  const local = await analyseLocalTarget(target, platform);
  if (local) return { ...local, repository: '' };
  if (looksLikePath(target))
    throw new CliError(
      'usage',
      `there is no file or folder ${target}; give an archive, a folder or an image reference`,
    );
  return fromRegistry(cli, target, options, platform);
}

async function fromRegistry(
  cli: Cli,
  target: string,
  access: SourceAccess,
  platform: { readonly platform?: string },
): Promise<ScannedTarget> {
  const reference = parseReference(target);
  const http = createHttpClient({ userAgent: 'breakwater' });
  try {
    const client = await sourceClient(cli, http, reference, access, await currentLogin(await cli.config()));
    const { repository } = reference;
    const source = await openRegistryImage(
      { client, repository, reference: reference.digest ?? reference.tag ?? 'latest', name: target },
      platform,
    );
    return { ...(await analyseImage(source)), repository };
  } finally {
    await http.close();
  }
}

/** A mistyped file name must not become a question to Docker Hub. */
export function looksLikePath(target: string): boolean {
  return /^(?:\.{0,2}\/|~|\.\.?$)|\.(?:tar|tgz|tbz2?|txz|tzst|gz|zst|xz|zip)$/.test(target);
}
