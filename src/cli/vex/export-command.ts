import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { exportVex } from '../../api/contract/vex.ts';
import { messageOf } from '../../platform/errors.ts';
import { VEX_FORMS, VEX_MEDIA_TYPES, type VexForm } from '../../vex/export/forms.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { readPrivateKey, signDocument } from './sign.ts';

interface ExportOptions {
  readonly form: VexForm;
  readonly key?: string;
  readonly out?: string;
}

/** `breakwater vex export`. */
export function addExport(vex: Command, cli: Cli): void {
  vex
    .command('export')
    .description('write what is known of vulnerabilities as a document for others; same state, same bytes')
    .argument('<what>', 'a project, a repository of it, or an image by digest: front, front/app, front/app@sha256:…')
    .addOption(new Option('--form <form>', 'which kind of document').choices([...VEX_FORMS]).default('openvex'))
    .option('--key <file>', 'private key in PEM to sign it with; the result is a DSSE envelope')
    .option('--out <file>', 'file to write instead of the output')
    .addHelpText(
      'after',
      `
A risk that was accepted is said to be "affected", with until when and why, never "not_affected".

Examples:
  breakwater vex export front/app > app.openvex.json
  breakwater vex export front --form csaf --out front.csaf.json
  breakwater vex export front/app@sha256:… --key signing.pem --out app.dsse.json`,
    )
    .action(async (what: string, { form, key, out }: ExportOptions) => {
      const { project, ...limits } = scopeOf(what);
      const input = { params: { project }, query: { form, ...limits } };
      const document = await withServer(cli, (api) => api.call(exportVex, input));
      const text = JSON.stringify(document, undefined, 2);
      const written = key === undefined ? text : signDocument(text, VEX_MEDIA_TYPES[form], await readPrivateKey(key));
      if (out === undefined) return cli.print(written);
      await writeFile(out, `${written}\n`).catch((error: unknown) => {
        throw new CliError('failed', `${out} could not be written: ${messageOf(error)}`, { cause: error });
      });
      cli.note(`${out} is written.`);
    });
}

function scopeOf(what: string): { readonly project: string; readonly repository?: string; readonly digest?: string } {
  const [name = '', digest] = what.split('@', 2);
  if (/:[^/]*$/.test(name))
    throw new CliError('usage', `"${what}" names a tag, which moves; name the image by its digest, or its repository`);
  const [project = name] = name.split('/', 1);
  return {
    project,
    ...(name.includes('/') ? { repository: name } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}
