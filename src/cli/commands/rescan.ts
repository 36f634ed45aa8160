import { Command } from 'commander';
import { rescan } from '../../api/contract/verdicts.ts';
import { counted } from '../../platform/counted.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { type OutputOptions, printAs, withOutput } from '../output.ts';
import { withoutHost } from './verdict.ts';

/** `breakwater rescan IMAGE|--failed`. */
export function rescanCommand(cli: Cli): Command {
  return withOutput(new Command('rescan'))
    .description('analyse stored images again, layer by layer, and judge them again')
    .argument('[image]', 'like front/alpine:3.20 or front/alpine@sha256:…; of an index, all images in it')
    .option('--failed', 'everything that could not be analysed, or not all of it')
    .addHelpText(
      'after',
      `
The verdicts that are there count until the new ones are.

Examples:
  breakwater rescan front/alpine:3.20
  breakwater rescan --failed`,
    )
    .action(async (image: string | undefined, options: OutputOptions & { readonly failed?: true }) => {
      if ((image === undefined) === (options.failed === undefined))
        throw new CliError('usage', 'rescan takes an image or --failed, one of both');
      const answer = await withServer(cli, (api) =>
        api.call(rescan, {
          body: image === undefined ? { failed: true } : { image: withoutHost(image, api.login.url) },
        }),
      );
      printAs(cli, options, answer, () => describe(answer.images, image));
    });
}

function describe(images: number, image: string | undefined): string {
  if (images === 0)
    return image === undefined ? 'Nothing failed to be analysed.' : `${image} holds nothing to analyse.`;
  const see = image === undefined ? 'breakwater verdict IMAGE' : `breakwater verdict ${image}`;
  return `Analysing ${counted(images, 'image')} again; soon: ${see}`;
}
