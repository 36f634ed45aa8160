import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Command, Option } from 'commander';
import {
  addVexAuthor,
  type ConsideredStatement,
  explainVex,
  exportVex,
  type ImportedVex,
  importVex,
  importVexEverywhere,
  listVex,
  listVexAuthors,
  retireVexAuthor,
  type VexAuthorView,
  type VexDocumentView,
  type VexExplanation,
  withdrawVex,
} from '../../api/contract/vex.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Cli } from '../cli.ts';
import { type ApiClient, withServer } from '../client.ts';
import { CliError } from '../exit.ts';
import { day, endOf, minute, startOf } from '../moments.ts';
import { counted, facts, type OutputOptions, oneLine, printAs, table, withOutput } from '../output.ts';
import { readPrivateKey, signDocument } from '../vex/sign.ts';
import { readSignature } from '../vex/signature-file.ts';

type Status = VexAuthorView['statuses'][number];
const STATUSES: readonly Status[] = ['not_affected', 'affected', 'fixed', 'under_investigation'];
const FORMS = ['openvex', 'csaf', 'cyclonedx'] as const;
type Form = (typeof FORMS)[number];
const MEDIA_TYPES: Readonly<Record<Form, string>> = {
  openvex: 'application/vnd.openvex+json',
  csaf: 'application/csaf+json',
  cyclonedx: 'application/vnd.cyclonedx+json',
};

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
      const input = { params: { project: projectOf(image) }, query: { image, vulnerability } };
      const explanation = await withServer(cli, (api) => api.call(explainVex, input));
      printAs(cli, options, explanation, () => explanationText(explanation));
    });
  addExport(vex, cli);
  return vex;
}

interface AddOptions extends OutputOptions {
  readonly key: string;
  readonly product: readonly string[];
  readonly status: readonly Status[];
  readonly criteria: string;
  readonly findings: string;
  readonly owner: string;
  readonly reviewDue: string;
}

function authorCommand(cli: Cli): Command {
  const author = new Command('author').description('whose statements count, and what they may speak of');
  withOutput(author.command('add'))
    .description('declare an author by its public key')
    .argument('<name>', 'as findings and policies name it')
    .requiredOption('--key <file>', 'public key in PEM: ECDSA on P-256, Ed25519 or RSA')
    .requiredOption('--product <glob...>', 'what it may speak of: pkg:deb/debian/* or repositories like front/**')
    .addOption(
      new Option('--status <status...>', 'what it may say')
        .choices([...STATUSES])
        .default([...STATUSES], 'all of them'),
    )
    .requiredOption('--criteria <text>', 'what was asked of it: how it finds out, who signs, where the key lies')
    .requiredOption('--findings <text>', 'what was found')
    .requiredOption('--owner <name>', 'who answers for it')
    .requiredOption('--review-due <date>', 'by then somebody looks again', endOf)
    .addHelpText(
      'after',
      `
Example:
  breakwater vex author add "Acme security" --key cosign.pub --product 'front/**' --status not_affected affected \\
    --criteria "reviews call graphs" --findings "key in a module, two people sign" --owner security --review-due 2027-06-30`,
    )
    .action(async (name: string, options: AddOptions) => {
      const { product, status, criteria, findings, owner, reviewDue } = options;
      const key = await readText(options.key);
      const body = { name, key, products: [...product], statuses: [...status], criteria, findings, owner, reviewDue };
      printAuthor(cli, options, await withServer(cli, (api) => api.call(addVexAuthor, { body })));
    });
  withOutput(author.command('list'))
    .description('declared authors, retired ones too')
    .action(async (options: OutputOptions) => {
      const { items } = await withServer(cli, (api) => api.call(listVexAuthors));
      printAs(cli, options, items, () => authorTable(items));
    });
  withOutput(author.command('retire'))
    .description('let nothing of an author count any more')
    .argument('<author>', 'name or id')
    .requiredOption('--reason <text>', 'why')
    .option(
      '--revoked-at <moment>',
      'its key was lost then: what came before goes on counting, nothing later does',
      startOf,
    )
    .action(
      async (wanted: string, options: OutputOptions & { readonly reason: string; readonly revokedAt?: string }) => {
        const { reason, revokedAt } = options;
        const body = { reason, ...(revokedAt === undefined ? {} : { revokedAt }) };
        const retired = await withServer(cli, async (api) =>
          api.call(retireVexAuthor, { params: { id: await authorId(api, wanted) }, body }),
        );
        printAuthor(cli, options, retired);
      },
    );
  return author;
}

async function authorId(api: ApiClient, wanted: string): Promise<string> {
  const { items } = await api.call(listVexAuthors);
  return items.find(({ id, name }) => id === wanted || name === wanted)?.id ?? wanted;
}

interface ImportOptions extends OutputOptions {
  readonly project?: string;
  readonly signature?: string;
}

function addImport(vex: Command, cli: Cli): void {
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

interface ExportOptions {
  readonly form: Form;
  readonly key?: string;
  readonly out?: string;
}

function addExport(vex: Command, cli: Cli): void {
  vex
    .command('export')
    .description('write what is known of vulnerabilities as a document for others; same state, same bytes')
    .argument('<what>', 'a project, a repository of it, or an image by digest: front, front/app, front/app@sha256:…')
    .addOption(new Option('--form <form>', 'which kind of document').choices([...FORMS]).default('openvex'))
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
      const written = key === undefined ? text : signDocument(text, MEDIA_TYPES[form], await readPrivateKey(key));
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
  const project = projectOf(name);
  return {
    project,
    ...(name.includes('/') ? { repository: name } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}

function projectOf(name: string): string {
  return name.split('/', 1)[0] ?? name;
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new CliError('failed', `${path} could not be read: ${messageOf(error)}`, { cause: error });
  });
}

function printAuthor(cli: Cli, options: OutputOptions, author: VexAuthorView): void {
  printAs(cli, options, author, () =>
    facts([
      ['id', author.id],
      ['name', author.name],
      ['key', author.fingerprint],
      ['state', author.state],
      ['may speak of', author.products.join(', ')],
      ['may say', author.statuses.join(', ')],
      ['criteria', author.criteria],
      ['findings', author.findings],
      ['owner', author.owner],
      ['review due', day(author.reviewDue)],
      ['declared', `${minute(author.addedAt)} by ${author.addedBy}`],
      [
        'retired',
        author.retiredAt && `${minute(author.retiredAt)} by ${author.retiredBy}: ${author.retireReason ?? ''}`,
      ],
      ['key revoked', author.revokedAt && minute(author.revokedAt)],
    ]),
  );
}

function authorTable(items: readonly VexAuthorView[]): string {
  if (items.length === 0) return 'No author is declared: no VEX counts. See: breakwater vex author add --help';
  return table(
    ['name', 'state', 'may speak of', 'may say', 'owner', 'review due', 'key'],
    items.map(({ name, state, products, statuses, owner, reviewDue, fingerprint }) => [
      name,
      state,
      products.join(', '),
      statuses.join(', '),
      owner,
      day(reviewDue),
      fingerprint.slice(0, 'sha256:'.length + 12),
    ]),
  );
}

function documentTable(project: string, items: readonly VexDocumentView[]): string {
  if (items.length === 0) return `${project} knows no VEX document.`;
  return table(
    ['id', 'document', 'form', 'author', 'holds in', 'received', 'by'],
    items.map((item) => [
      item.id,
      item.name,
      item.format,
      item.withdrawnAt === undefined ? (item.author ?? `unproven: "${item.says}"`) : 'withdrawn',
      item.project ?? 'every project',
      minute(item.receivedAt),
      item.receivedBy,
    ]),
  );
}

function explanationText({ image, vulnerability, findings, others }: VexExplanation): string {
  if (findings.length === 0)
    return [
      `${image} has no finding of ${oneLine(vulnerability)}.`,
      others.length === 0 ? 'No statement speaks of it.' : statementTable(others),
    ].join('\n');
  return findings
    .map(({ package: name, installed, status, statements }) =>
      [
        `${oneLine(vulnerability)} in ${name} ${installed}: ${status ?? 'nothing that was said counts'}`,
        statements.length === 0 ? 'No statement speaks of it.' : statementTable(statements),
      ].join('\n'),
    )
    .join('\n\n');
}

function statementTable(statements: readonly ConsideredStatement[]): string {
  return table(
    ['says', 'author', 'on', 'document', 'outcome', 'why'],
    statements.map(({ status, author, proven, at, document, outcome, why }) => [
      status,
      proven ? author : `"${author}", unproven`,
      day(at),
      document,
      outcome,
      why,
    ]),
  );
}
