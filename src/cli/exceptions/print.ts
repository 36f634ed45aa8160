import type { RiskException } from '../../api/contract/exceptions.ts';
import type { Cli } from '../cli.ts';
import { minute } from '../moments.ts';
import { facts, type OutputOptions, printAs, table } from '../output.ts';
import type { Place } from './place.ts';

export function printException(cli: Cli, options: OutputOptions, exception: RiskException): void {
  printAs(cli, options, exception, () =>
    facts([
      ['id', exception.id],
      [exception.rule === undefined ? 'vulnerability' : 'rule', subjectOf(exception)],
      ['kind', kindOf(exception)],
      ['limited to', limits(exception) || `nothing: ${exception.everywhere ? 'all projects' : 'the whole project'}`],
      ['state', stateOf(exception)],
      ['until', exception.until.replace('.000Z', 'Z')],
      ['reason', exception.reason],
      ['owner', exception.owner],
      ['ticket', exception.ticket],
      ['requested', `${minute(exception.requestedAt)} by ${exception.requestedBy}`],
      ['revision', exception.revision === 1 ? undefined : `${exception.revision}: edited since it was asked for`],
      ['continues', exception.renews && `${exception.renews}, counting since ${minute(exception.lifeFrom)}`],
      ['together', exception.batch],
      [
        'decided',
        exception.decidedAt &&
          `${minute(exception.decidedAt)} by ${exception.decidedBy}${exception.singleHanded ? ', who asked for it too (single-handed)' : ''}: ${exception.decisionReason ?? ''}`,
      ],
    ]),
  );
}

export function printExceptions(
  cli: Cli,
  options: OutputOptions,
  { name }: Place,
  items: readonly RiskException[],
): void {
  printAs(cli, options, items, () => {
    if (items.length === 0) return `${name} has no such exceptions.`;
    return table(
      ['id', 'about', 'limited to', 'kind', 'state', 'until', 'requested by', 'decided by', 'reason'],
      items.map((item) => [
        item.id,
        subjectOf(item),
        limits(item) || '-',
        item.kind,
        `${stateOf(item)}${item.singleHanded ? ', single-handed' : ''}`,
        minute(item.until),
        item.requestedBy,
        item.decidedBy ?? '-',
        item.reason,
      ]),
    );
  });
}

/** What a request asks for. */
export function inOneLine(exception: RiskException): string {
  const { owner, ticket, everywhere } = exception;
  const where = limits(exception) || (everywhere ? 'all projects' : 'the whole project');
  const end = exception.until.replace('.000Z', 'Z');
  const more = [owner && `owner ${owner}`, ticket && `ticket ${ticket}`].filter(Boolean).map((one) => `, ${one}`);
  return `${subjectOf(exception)} (${kindOf(exception)}) in ${where}, until ${end}, because "${exception.reason}"${more.join('')}, asked for by ${exception.requestedBy}`;
}

function subjectOf({ vulnerability, rule }: RiskException): string {
  return vulnerability ?? rule ?? '';
}

function kindOf({ kind, justification, fixDays }: RiskException): string {
  if (justification !== undefined) return `${kind}: ${justification}`;
  return fixDays === undefined ? kind : `${kind}: ends ${fixDays} days after a fix is known`;
}

function stateOf({ state, expired }: RiskException): string {
  return expired ? `${state}, over` : state;
}

function limits({
  package: name,
  packageType,
  version,
  versions,
  repository,
  digest,
  platform,
}: RiskException): string {
  const pkg = [packageType, name, version ?? versions].filter((part) => part !== undefined).join(' ');
  return [pkg || undefined, repository, digest, platform].filter((part) => part !== undefined).join(', ');
}
