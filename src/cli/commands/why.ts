import { Command } from 'commander';
import { explainImage } from '../../api/contract/why.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { EXIT } from '../exit.ts';
import { type OutputOptions, printAs, withOutput } from '../output.ts';
import { renderWhy } from '../why-text.ts';
import { withoutHost } from './verdict.ts';

/** `breakwater why REPO:TAG`: the rules and who set them, dates, and the smallest change that unblocks; ends with 1 when blocked. */
export function whyCommand(cli: Cli): Command {
  return withOutput(new Command('why'))
    .description('why is an image blocked or not, who said so, and which smallest change unblocks it?')
    .argument('<image>', 'like front/alpine:3.20 or front/alpine@sha256:…')
    .addHelpText(
      'after',
      `
Examples:
  breakwater why front/alpine:3.20
  breakwater why front/alpine:3.20 -o json | jq '.images[].plans[0].parts'

Exit codes: 0 allowed, with a warning or without; 1 blocked; 2 wrong usage; 3 anything else.`,
    )
    .action(async (image: string, options: OutputOptions) => {
      const explained = await withServer(cli, (api) =>
        api.call(explainImage, { query: { image: withoutHost(image, api.login.url) } }),
      );
      printAs(cli, options, explained, () => renderWhy(explained));
      if (explained.kind === 'block') cli.exitWith(EXIT.negative);
    });
}
