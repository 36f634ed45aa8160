import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { type ImportedVex, importVex, importVexEverywhere } from '../../api/contract/vex.ts';
import { counted } from '../../platform/counted.ts';
import { messageOf } from '../../platform/errors.ts';
import { oneLine } from '../../platform/one-line.ts';
import type { Cli } from '../cli.ts';
import { type ApiClient, withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { type OutputOptions, printAs, withOutput } from '../output.ts';
import { readSignature } from './signature-file.ts';

interface ImportOptions extends OutputOptions {
  readonly project?: string;
  readonly signature?: string;
}

/** `breakwater vex import`. */
export function addImport(vex: Command, cli: Cli): void {
  withOutput(vex.command('import'))
    .description(
      'hand documents to the server: OpenVEX, CSAF 2.0 or CycloneDX, bare or in a DSSE envelope or Sigstore bundle',
    )
    .argument('<file...>')
    .option('--project <name>', 'for this project alone; without it for every project, which takes a signature')
    .option('--signature <file>', 'detached signature over the file, as "cosign sign-blob" writes it')
    .addHelpText(
      'after',
      `
What a declared author signed counts at once. What nobody declared signed becomes requests for exceptions.

Examples:
  breakwater vex import vendor.dsse.json
  breakwater vex import app.vex.json --signature app.vex.json.sig --project front`,
    )
    .action(async (files: readonly string[], options: ImportOptions) => {
      if (options.signature !== undefined && files.length > 1)
        throw new CliError('usage', 'a signature is over one file; import them one by one');
      const imported = await withServer(cli, async (api) => {
        const all: ImportedVex[] = [];
        for (const file of files) all.push(await importFile(api, file, options));
        return all;
      });
      printAs(cli, options, imported, () => imported.map(importedText).join('\n'));
    });
}

async function importFile(api: ApiClient, file: string, { project, signature }: ImportOptions): Promise<ImportedVex> {
  const query = {
    name: basename(file).slice(0, 255),
    ...(signature === undefined ? {} : { signature: await readSignature(signature) }),
  };
  const { size } = await stat(file).catch((error: unknown) => {
    throw new CliError('failed', `${file} could not be read: ${messageOf(error)}`, { cause: error });
  });
  const content = { content: createReadStream(file), size };
  return project === undefined
    ? api.upload(importVexEverywhere, content, { query })
    : api.upload(importVex, content, { params: { project }, query });
}

function importedText({ name, statements, author, says, requested, left, problems }: ImportedVex): string {
  const read = `${oneLine(name)}: ${counted(statements, 'statement')}`;
  const lines =
    author === undefined
      ? [
          `${read} of "${oneLine(says)}", whom no signature proves: ${statements === 1 ? 'it counts' : 'they count'} for nothing.`,
          requested.length > 0
            ? `  asked for ${counted(requested.length, 'exception')} instead, for somebody to decide: breakwater exception list`
            : '  nothing was asked for: nothing new that was found in the project is named',
          ...(left > 0 ? [`  ${left} more were not asked for: too many are open; have those decided first`] : []),
        ]
      : [`${read} signed by ${oneLine(author)}; ${statements === 1 ? 'it counts' : 'they count'} from now on.`];
  return [...lines, ...problems.slice(0, 5).map((problem) => `  not used: ${oneLine(problem)}`)].join('\n');
}
