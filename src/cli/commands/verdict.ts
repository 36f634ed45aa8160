import { Command } from 'commander';
import { getVerdict, verdictHistory } from '../../api/contract/verdicts.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { EXIT } from '../exit.ts';
import { renderHistory } from '../history-text.ts';
import { type OutputOptions, printAs, withOutput } from '../output.ts';
import { renderVerdict } from '../verdict-text.ts';

/** `breakwater verdict REPO:TAG`: the one value, printed; ends with 1 when it blocks. */
export function verdictCommand(cli: Cli): Command {
  return withOutput(new Command('verdict'))
    .description('may this image be pulled, and why not? Ends with 1 when it is blocked')
    .argument('<image>', 'like front/alpine:3.20 or front/alpine@sha256:…')
    .option('--history', 'how it came to be that: every change, newest first, with what was behind it')
    .addHelpText(
      'after',
      `
Examples:
  breakwater verdict front/alpine:3.20
  breakwater verdict front/alpine:3.20 -o json
  breakwater verdict front/alpine:3.20 --history`,
    )
    .action(async (image: string, options: OutputOptions & { readonly history?: true }) => {
      if (options.history) {
        const { items } = await withServer(cli, (api) =>
          api.call(verdictHistory, { query: { image: withoutHost(image, api.login.url) } }),
        );
        printAs(cli, options, items, () => renderHistory(items));
        return;
      }
      const judged = await withServer(cli, (api) =>
        api.call(getVerdict, { query: { image: withoutHost(image, api.login.url) } }),
      );
      printAs(cli, options, judged, () => renderVerdict(judged, systemClock.now()));
      if (judged.kind === 'block') cli.exitWith(EXIT.negative);
    });
}

/** References are copied from elsewhere with the host of the server in front. */
export function withoutHost(image: string, url: string): string {
  const host = `${new URL(url).host}/`;
  return image.startsWith(host) ? image.slice(host.length) : image;
}
