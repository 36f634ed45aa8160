import { Command, Option } from 'commander';
import { getSbom } from '../../api/contract/verdicts.ts';
import { printableJson } from '../../platform/printable-json.ts';
import { SBOM_FORMS, type SbomForm } from '../../scanner/sbom-write/input.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { writeWhole } from '../write-whole.ts';
import { withoutHost } from './verdict.ts';

interface SbomOptions {
  readonly output: SbomForm;
  readonly out?: string;
}

/** `breakwater sbom REPO:TAG`: the bill of materials of an image the server has, from what it knows already. */
export function sbomCommand(cli: Cli): Command {
  return new Command('sbom')
    .description('the bill of materials of a stored image, without reading its layers again')
    .argument('<image>', 'like front/alpine:3.20 or front/alpine@sha256:…; one platform, not an index')
    .addOption(new Option('-o, --output <form>', 'format').choices([...SBOM_FORMS]).default('cyclonedx'))
    .option('--out <file>', 'file to write instead of standard output')
    .addHelpText(
      'after',
      `
Examples:
  breakwater sbom front/alpine:3.20 -o spdx --out alpine.spdx.json`,
    )
    .action(async (image: string, { output, out }: SbomOptions) => {
      const document = await withServer(cli, (api) =>
        api.call(getSbom, { query: { image: withoutHost(image, api.login.url), form: output } }),
      );
      const text = printableJson(document);
      if (out === undefined) cli.print(text);
      else await writeWhole(out, [`${text}\n`]);
    });
}
