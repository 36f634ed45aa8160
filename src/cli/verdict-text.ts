import type { JudgedImage } from '../api/contract/verdicts.ts';
import type { Reason } from '../model/verdict.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { counted } from '../platform/counted.ts';
import { oneLine } from '../platform/one-line.ts';
import { describeSeverity, describeTime, describeVex } from '../policy/describe.ts';
import { explain } from '../policy/explain.ts';
import { facts, table } from './output.ts';
import { coverageLines } from './scan/coverage-lines.ts';

/** A verdict for people: the decision, every reason worst first, how far the answer reaches, what to do. */
export function renderVerdict(judged: JudgedImage, now: number): string {
  const { verdict, coverage } = judged;
  const others = verdict.reasons.filter(({ vulnerability }) => vulnerability === undefined);
  return [
    facts([
      ['image', judged.image],
      ['digest', judged.digest],
      ['verdict', explain(verdict)],
      ['judged', judged.judgedAt],
      ['changes', judged.changesAt && `${judged.changesAt}, by itself`],
      ['becomes', verdict.becomes?.map(({ at, kind }) => `${kind} from ${toRfc3339(at)} on`).join(', ')],
    ]),
    ...reasonTable(verdict.reasons),
    '',
    ...others.map(({ kind, message }) => oneLine(`${kind}: ${message}`)),
    counts(judged),
    ...(coverage ? coverageLines(coverage, now) : []),
    ...nextSteps(judged),
  ].join('\n');
}

function reasonTable(reasons: readonly Reason[]): string[] {
  const rows = reasons.filter(({ vulnerability }) => vulnerability !== undefined);
  if (rows.length === 0) return [];
  return [
    '',
    table(
      ['asks for', 'vulnerability', 'package', 'installed', 'fixed in', 'severity', 'because'],
      rows.map((reason) => [
        reason.kind,
        `${reason.vulnerability ?? ''}${reason.kev === true ? ' KEV' : ''}`,
        reason.package ?? '',
        reason.installed ?? '',
        reason.fixed ?? '-',
        describeSeverity(reason),
        [reason.rule, reason.vex ? describeVex(reason.vex) : '', describeTime(reason)].filter(Boolean).join(', '),
      ]),
    ),
  ];
}

function counts({ verdict: { counts: known } }: JudgedImage): string {
  const levels = Object.entries(known.bySeverity)
    .filter(([, count]) => count > 0)
    .reverse()
    .map(([level, count]) => `${count} ${level}`);
  return [
    `${counted(known.total, 'finding')}${levels.length > 0 ? `: ${levels.join(', ')}` : ''}`,
    `${known.fixable} with a fix`,
    `${known.suppressed} set aside`,
  ].join('; ');
}

function nextSteps({ verdict, image }: JudgedImage): string[] {
  if (verdict.kind === 'allow') return [];
  const first = verdict.reasons.find(({ kind, vulnerability }) => kind === verdict.kind && vulnerability !== undefined);
  if (first?.vulnerability === undefined) return [];
  const ask = `breakwater exception request ${image} ${first.vulnerability} --until DATE --reason "…"`;
  return [
    '',
    `What to do: breakwater why ${image} names the smallest change; or ask for an exception:`,
    `  ${oneLine(ask)}`,
  ];
}
