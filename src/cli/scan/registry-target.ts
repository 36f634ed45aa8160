import { openRegistryImage } from '../../mirror/registry-source.ts';
import { parseReference } from '../../oci/reference.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import type { SbomSubject } from '../../scanner/sbom-write/index.ts';
import type { Cli } from '../cli.ts';
import { currentLogin } from '../credentials.ts';
import { type SourceAccess, sourceClient } from '../registry-end.ts';
import { analyseWatched } from './progress.ts';
import type { ScannedTarget } from './target.ts';

/** Looks into an image of a registry, layer by layer. Throws whatever reading it throws. */
export async function analyseRegistryImage(
  cli: Cli,
  target: string,
  access: SourceAccess,
  platform: { readonly platform?: string },
): Promise<ScannedTarget> {
  const reference = parseReference(target);
  const http = createHttpClient({ userAgent: 'breakwater' });
  try {
    const client = await sourceClient(cli, http, reference, access, await currentLogin(await cli.config()));
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
    return { ...analysed, repository, subject };
  } finally {
    await http.close();
  }
}
