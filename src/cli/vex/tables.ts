import type { ConsideredStatement, VexDocumentView, VexExplanation } from '../../api/contract/vex.ts';
import { oneLine } from '../../platform/one-line.ts';
import { day, minute } from '../moments.ts';
import { table } from '../output.ts';

/** Documents that a project knows. */
export function documentTable(project: string, items: readonly VexDocumentView[]): string {
  if (items.length === 0) return `${project} knows no VEX document.`;
  return table(
    ['id', 'document', 'form', 'author', 'holds in', 'received', 'by'],
    items.map((item) => [
      item.id,
      shortDigest(item.name),
      item.format,
      item.withdrawnAt === undefined ? (item.author ?? `unproven: "${item.says}"`) : 'withdrawn',
      item.project ?? 'every project',
      minute(item.receivedAt),
      item.receivedBy,
    ]),
  );
}

/** What became of every statement. */
export function explanationText({ image, vulnerability, findings, others }: VexExplanation): string {
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
      shortDigest(document),
      outcome,
      why,
    ]),
  );
}

/** What is attached to images is called by a digest, which would take the width of a screen. */
function shortDigest(text: string): string {
  return text.replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1');
}
