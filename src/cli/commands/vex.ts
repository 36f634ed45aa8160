import { Command } from 'commander';
import { explainVex, listVex, withdrawVex } from '../../api/contract/vex.ts';
import type { Cli } from '../cli.ts';
import { withServer } from '../client.ts';
import { type OutputOptions, printAs, withOutput } from '../output.ts';
import { authorCommand } from '../vex/author-command.ts';
import { addExport } from '../vex/export-command.ts';
import { addImport } from '../vex/import-command.ts';
import { documentTable, explanationText } from '../vex/tables.ts';

/** `breakwater vex …`. */
export function vexCommand(cli: Cli): Command {
  const vex = new Command('vex').description('what authors of VEX say of vulnerabilities, and what is said to others');
  vex.addCommand(authorCommand(cli));
  addImport(vex, cli);
  withOutput(vex.command('list'))
    .description('documents that a project knows, newest first')
    .argument('<project>')
    .action(async (project: string, options: OutputOptions) => {
      const { items } = await withServer(cli, (api) => api.call(listVex, { params: { project } }));
      printAs(cli, options, items, () => documentTable(project, items));
    });
  withOutput(vex.command('withdraw'))
    .description('let nothing in a document count any more; it does not come back')
    .argument('<project>')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why')
    .action(async (project: string, id: string, options: OutputOptions & { readonly reason: string }) => {
      const input = { params: { project, id }, body: { reason: options.reason } };
      const document = await withServer(cli, (api) => api.call(withdrawVex, input));
      printAs(cli, options, document, () => `${document.name} is withdrawn: nothing in it counts any more.`);
    });
  withOutput(vex.command('explain'))
    .description('which statements there are, which one counts, and why the others do not')
    .argument('<image>', 'front/app:1.2 or front/app@sha256:…')
    .argument('<vulnerability>', 'CVE, GHSA or another id')
    .action(async (image: string, vulnerability: string, options: OutputOptions) => {
      const input = { params: { project: image.split('/', 1)[0] ?? image }, query: { image, vulnerability } };
      const explanation = await withServer(cli, (api) => api.call(explainVex, input));
      printAs(cli, options, explanation, () => explanationText(explanation));
    });
  addExport(vex, cli);
  return vex;
}
