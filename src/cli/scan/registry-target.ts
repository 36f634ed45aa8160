import { openRegistryImage } from '../../mirror/registry-source.ts';
import { parseReference } from '../../oci/reference.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import type { SbomSubject } from '../../scanner/sbom-write/index.ts';
import type { Cli } from '../cli.ts';
import { currentLogin } from '../credentials.ts';
import { sourceClient } from '../registry-end.ts';
import { analyseWatched } from './progress.ts';
import type { ScannedTarget } from './scanned-target.ts';
import { REFERRERS, type TargetOptions } from './target-options.ts';
import { vexOfImage } from './vex.ts';

/**
 * Looks into an image of a registry, and at what is attached to it where that is asked for. Throws whatever the registry's client
 * throws.
 */
export async function analyseRegistryImage(
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
