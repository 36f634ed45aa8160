import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, Option } from 'commander';
import type { VerificationResult } from '../../evidence/verify.ts';
import { counted } from '../../platform/counted.ts';
import { oneLine } from '../../platform/one-line.ts';
import type { ByteSource } from '../../platform/streams.ts';
import type { Cli } from '../cli.ts';
import { CliError, EXIT } from '../exit.ts';
import { after, startOf } from '../moments.ts';
import { bytes, facts, type OutputOptions, printAs, withOutput } from '../output.ts';
import { writeWhole } from '../write-whole.ts';

interface ExportOptions {
  readonly from: string;
  readonly to: string;
  readonly format: 'json' | 'html';
  readonly out?: string;
}

/** `breakwater evidence export|verify`. */
export function evidenceCommand(cli: Cli): Command {
  const evidence = new Command('evidence').description('reports for auditors: one sealed file that can be checked');
  evidence
    .command('export')
    .description('what is stored and runs, verdicts, exceptions, trusted sources, who decided')
    .requiredOption('--from <date>', 'first day or moment', startOf)
    .requiredOption('--to <date>', 'last day, or the moment before which', after)
    .addOption(
      new Option('--format <form>', 'a document, or the same as a page').choices(['json', 'html']).default('json'),
    )
    .option('--out <file>', 'file to write instead of standard output')
    .addHelpText(
      'after',
      `
Example:
  breakwater evidence export --from 2026-01-01 --to 2026-03-31 --format html --out q1.html
  breakwater evidence verify q1.html`,
    )
    .action(async (options: ExportOptions) => exportEvidence(cli, options));
  withOutput(evidence.command('verify'))
    .description('find any line that was removed or changed; ends with 1 when there is one')
    .argument('<file>', 'a file of "evidence export", JSON or HTML')
    .option('--digest <digest>', 'digest of the document as it was noted when it was exported')
    .action(async (file: string, options: OutputOptions & { digest?: string }) => verifyFile(cli, file, options));
  return evidence;
}

async function exportEvidence(cli: Cli, { from, to, format, out }: ExportOptions): Promise<void> {
  const [{ withServer }, { exportEvidence: endpoint }] = await Promise.all([
    import('../client.ts'),
    import('../../api/contract/operations.ts'),
  ]);
  await withServer(cli, async (api) => {
    const content = await api.download(endpoint, { query: { from, to, format } });
    if (out === undefined) await pipeline(Readable.from(content), process.stdout, { end: false });
    else await writeAndCheck(cli, out, content);
  });
}

/** What was written is checked at once, and its digest shown, so that it can be noted apart from the file. */
async function writeAndCheck(cli: Cli, out: string, content: ByteSource): Promise<void> {
  const size = await writeWhole(out, content);
  const { LARGEST_FILE, verifyEvidence } = await import('../../evidence/verify.ts');
  const { intact, document } = verifyEvidence(await readWhole(out, LARGEST_FILE));
  if (!intact || !document)
    throw new CliError('server', `what came into ${out} is no whole evidence; see: breakwater evidence verify ${out}`);
  cli.print(
    facts([
      ['written', `${out} (${bytes(size)})`],
      ['digest', `${document.digest} (note it: it proves later that this is the file)`],
    ]),
  );
}

async function verifyFile(cli: Cli, file: string, options: OutputOptions & { digest?: string }): Promise<void> {
  const { LARGEST_FILE, verifyEvidence } = await import('../../evidence/verify.ts');
  const noted = options.digest === undefined ? {} : { digest: options.digest };
  const result = verifyEvidence(await readWhole(file, LARGEST_FILE), noted);
  printAs(cli, options, result, () => describe(file, result));
  if (!result.intact) cli.exitWith(EXIT.negative);
}

async function readWhole(path: string, limit: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > limit) throw new CliError('failed', `${path} has ${bytes(size)}; evidence has at most ${bytes(limit)}`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function describe(file: string, { intact, findings, count, form, document }: VerificationResult): string {
  return [
    facts([
      ['file', `${file} (${form})`],
      ['installation', document?.installation],
      ['period', document && `${document.period.from} to ${document.period.to}`],
      ['exported', document?.exportedAt],
      ['audit log', document && `${counted(document.ledgerLines, 'line')}, up to number ${document.head.seq}`],
      ['digest', document?.digest],
    ]),
    ...findings.map(({ message }) => oneLine(`- ${message}`)),
    ...(count > findings.length ? [`- and ${count - findings.length} more`] : []),
    '',
    intact
      ? 'Intact: nothing was removed or changed. Compare the digest with the one noted at the export.'
      : `BROKEN: ${counted(count, 'finding')}. Do not rely on this file; export it again and compare.`,
  ].join('\n');
}
