import type { Agreement } from './agreement.ts';

const COLUMNS = [
  'scheme',
  'reference and version',
  'generated pairs',
  'real pairs',
  'agree',
  'differ',
  'neither parses',
];
const ONE_SIDED = ['only we parse', 'only they parse'];
const rows: (readonly (string | number)[])[] = [];

/** Keeps one row for `printTable`; real pairs are none where nothing real can be asked. */
export function addRow(scheme: string, reference: string, generated: Agreement, real: Agreement | undefined): void {
  const both = real === undefined ? [generated] : [generated, real];
  const sum = (count: (found: Agreement) => number) => both.reduce((total, found) => total + count(found), 0);
  const size = ({ agree, neither, differ, onlyWe, onlyThey }: Agreement) =>
    agree + neither + differ.length + onlyWe.length + onlyThey.length;
  rows.push([
    ...[scheme, reference, size(generated), real === undefined ? 0 : size(real)],
    ...[sum((found) => found.agree), sum((found) => found.differ.length), sum((found) => found.neither)],
    ...[sum((found) => found.onlyWe.length), sum((found) => found.onlyThey.length)],
  ]);
}

/** Prints the rows as the table of docs/version-schemes.md. */
export function printTable(): void {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
  const columns = [...COLUMNS, ...ONE_SIDED];
  console.log(['', line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n'));
}
