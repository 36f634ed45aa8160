import { Command } from 'commander';
import { parseReference } from '../../oci/reference.ts';
import { counted } from '../../platform/counted.ts';
import { createHttpClient } from '../../platform/http-client.ts';
import { oneLine } from '../../platform/one-line.ts';
import type { Cli } from '../cli.ts';
import { currentLogin } from '../credentials.ts';
import { CliError } from '../exit.ts';
import { bytes, facts, type OutputOptions, printAs, withOutput } from '../output.ts';
import { createProgress } from '../progress.ts';
import { ownClient, type SourceAccess, sourceClient, withSourceAccess } from '../registry-end.ts';

/** `breakwater mirror copy SRC DST`. */
export function mirrorCommand(cli: Cli): Command {
  const mirror = new Command('mirror').description('copy images from other registries into ours');
  const copy = mirror
    .command('copy')
    .description('copy one image, all its platforms, byte for byte, through this machine')
    .argument('<source>', 'any image reference, like docker.io/library/busybox:1.36')
    .argument('<destination>', 'repository and tag in our server, like front/busybox:1.36');
  withSourceAccess(withOutput(copy))
    .addHelpText(
      'after',
      `
What the server has already is not sent again. Its verdict is printed at the end.

Examples:
  breakwater mirror copy docker.io/library/busybox:1.36 front/busybox:1.36
  breakwater mirror copy 127.0.0.1:5000/team/app:2 front/app:2
  breakwater mirror copy quay.io/team/app:2 front/app:2 --source-user me --source-password-stdin < password`,
    )
    .action(async (source: string, destination: string, options: OutputOptions & SourceAccess) => {
      const { copyImage } = await import('../../mirror/copy.ts');
      const from = parseReference(source);
      const login = await currentLogin(await cli.config());
      const to = parseDestination(destination, new URL(login.url).host);
      const http = createHttpClient({ userAgent: 'breakwater' });
      const progress = createProgress(cli.screen, source);
      try {
        const result = await copyImage(
          {
            client: await sourceClient(cli, http, from, options, login),
            repository: from.repository,
            reference: from.digest ?? from.tag ?? 'latest',
          },
          { client: await ownClient(http, login), ...to },
          ({ done, total }) => progress.update(done, total),
        );
        progress.stop();
        printAs(cli, options, result, () =>
          facts([
            ['copied', `${source} to ${to.repository}:${to.reference}`],
            ['digest', result.digest],
            ['sent', `${bytes(result.bytesSent)}, ${counted(result.manifests, 'manifest')}`],
            ...result.warnings.map((warning) => ['warning', oneLine(warning)] as const),
          ]),
        );
      } finally {
        progress.stop();
        await http.close();
      }
    });
  return mirror;
}

/**
 * `front/busybox:1.36`, with or without the host of our server. The path is read below that host, so that no name can be
 * taken for another registry's. Throws `ImageReferenceError`, `CliError('usage')`.
 */
export function parseDestination(text: string, host: string): { repository: string; reference: string } {
  const path = text.startsWith(`${host}/`) ? text.slice(host.length + 1) : text;
  const { repository, tag, digest } = parseReference(`breakwater.invalid/${path}`);
  if (!repository.includes('/'))
    throw new CliError('usage', `"${text}" names no project; write it like front/${repository}:${tag ?? 'latest'}`);
  if (digest !== undefined)
    throw new CliError('usage', `give "${text}" a tag instead of a digest: the digest is that of the source`);
  return { repository, reference: tag ?? 'latest' };
}
