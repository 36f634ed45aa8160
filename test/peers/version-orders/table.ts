import type { Agreement } from './agreement.ts';

type Cells = readonly (string | number)[];

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
const rows: Cells[] = [];

/** Keeps one row for `table`; real pairs are none where nothing real can be asked. */
export function addRow(scheme: string, reference: string, generated: Agreement, real: Agreement | undefined): void {
  const both = real === undefined ? [generated] : [generated, real];
  const sum = (count: (found: Agreement) => number) => both.reduce((total, found) => total + count(found), 0);
  rows.push([
    scheme,
    reference,
    sizeOf(generated),
    real === undefined ? 0 : sizeOf(real),
    sum((found) => found.agree),
    sum((found) => found.differ.length),
    sum((found) => found.neither),
    sum((found) => found.onlyWe.length),
    sum((found) => found.onlyThey.length),
  ]);
}

/** The rows as the table of docs/version-schemes.md. */
export function table(): string {
  const columns = [...COLUMNS, ...ONE_SIDED];
  return `\n${[columns, columns.map(() => '---'), ...rows].map(line).join('')}`;
}

function sizeOf({ agree, neither, differ, onlyWe, onlyThey }: Agreement): number {
  return agree + neither + differ.length + onlyWe.length + onlyThey.length;
}

function line(cells: Cells): string {
  return `| ${cells.join(' | ')} |\n`;
}
