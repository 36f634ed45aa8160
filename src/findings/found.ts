import type { Verdict } from '../model/verdict.ts';
import { type FindingLine, type FindingLines, lineOf } from './known-findings.ts';
import { type ListedStatus, statusOf, worseOf } from './status.ts';

/** A finding as a verdict on an image has it. */
export interface Found {
  readonly line: FindingLine;
  readonly status: ListedStatus;
  /** Epoch ms. */
  readonly firstSeen: number;
}

/** Every finding of a verdict once: several rules may ask for something because of it. */
export function foundIn(
  { reasons, judgedAt }: Pick<Verdict, 'reasons' | 'judgedAt'>,
  lines: FindingLines,
): readonly Found[] {
  const found = new Map<string, Found>();
  for (const reason of reasons) {
    const line = lineOf(reason, lines);
    if (!line) continue;
    const status = statusOf(reason);
    const known = found.get(line.identity);
    found.set(
      line.identity,
      known
        ? { ...known, status: worseOf(known.status, status) }
        : { line, status, firstSeen: reason.firstSeen ?? judgedAt },
    );
  }
  return [...found.values()];
}
