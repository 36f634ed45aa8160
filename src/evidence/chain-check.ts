import { GENESIS, hashEntry } from '../ledger/chain.ts';
import type { EvidenceEnvelope } from './document.ts';
import type { Finding } from './finding.ts';
import type { Line } from './lines.ts';
import { toExactTime } from './period.ts';

type Chain = EvidenceEnvelope['chain'];
type Anchor = Chain['before'];

/**
 * Follows the hash chain of the audit log through the lines of the document, from the line in front of them to the one
 * after them and the head of the log, and names every line that is missing, was changed, or does not follow the one before.
 */
export function checkChain(
  chain: Chain,
  period: EvidenceEnvelope['period'],
  lines: readonly Line<'ledger'>[],
): Finding[] {
  const findings = checkAnchors(chain);
  let previous: Anchor = chain.before;
  for (const line of lines) {
    findings.push(...checkPlace(previous, line), ...checkContent(line, period));
    previous = { seq: line.seq, hash: line.hash };
  }
  findings.push(...checkEnd(chain, previous));
  return findings;
}

function checkPlace(previous: Anchor, { seq, previousHash }: Line<'ledger'>): Finding[] {
  if (seq > previous.seq + 1) return [missing(previous.seq + 1, seq - 1)];
  if (seq <= previous.seq)
    return [finding(seq, `stands after line ${previous.seq}: it was moved, doubled or renumbered`)];
  if (previousHash === previous.hash) return [];
  const before =
    previous.seq === 0 ? 'is not the first line of the log' : `does not follow line ${previous.seq} as it stands here`;
  return [finding(seq, `${before}: one of the two was changed`)];
}

function checkContent(line: Line<'ledger'>, { from, to }: EvidenceEnvelope['period']): Finding[] {
  const findings: Finding[] = [];
  if (hashEntry(line) !== line.hash) findings.push(finding(line.seq, 'was changed: its hash does not fit its content'));
  if (!isTime(line.at) || toExactTime(line.at) !== line.time)
    findings.push(finding(line.seq, `was changed: "time" does not say the moment that was hashed`));
  else if (line.time < from || line.time >= to)
    findings.push(finding(line.seq, 'does not lie in the period of the document'));
  return findings;
}

function checkAnchors({ before, head, after, last, checked }: Chain): Finding[] {
  const findings: Finding[] = [];
  if ((before.seq === 0) !== (before.hash === GENESIS))
    findings.push({
      section: 'ledger',
      message: 'The line before the first one ("chain.before") was changed: number and hash do not fit.',
    });
  if (checked.fault !== undefined)
    findings.push(
      finding(checked.fault, 'did not fit the chain in the database of the server when the document was made'),
    );
  if (checked.fault === undefined && checked.lines !== head.seq)
    findings.push({
      section: 'ledger',
      message: `The server checked ${checked.lines} lines of an audit log of ${head.seq}: lines are missing, or "chain" was changed.`,
    });
  if (head.seq < (after?.seq ?? last.seq))
    findings.push({
      section: 'ledger',
      message: `The newest line of the log (${head.seq}) is older than what the document holds: "chain" was changed.`,
    });
  return findings;
}

/** Lines cut off at the end leave a gap to the anchors behind them. */
function checkEnd({ last, after, head }: Chain, end: Anchor): Finding[] {
  if (last.seq > end.seq) return [missing(end.seq + 1, last.seq)];
  if (last.seq !== end.seq || last.hash !== end.hash)
    return [finding(end.seq, 'is not the one that was last when the document was made ("chain.last")')];
  if (after === undefined) {
    if (head.seq > end.seq) return [missing(end.seq + 1, head.seq)];
    return head.hash === end.hash
      ? []
      : [finding(end.seq, 'is not the newest of the log ("chain.head"): one of them was changed')];
  }
  if (after.seq > end.seq + 1) return [missing(end.seq + 1, after.seq - 1)];
  if (after.seq !== end.seq + 1 || after.previousHash !== end.hash)
    return [finding(end.seq, `is not the one that line ${after.seq} follows ("chain.after"): one of them was changed`)];
  return [];
}

function isTime(at: number): boolean {
  return Number.isSafeInteger(at) && Math.abs(at) <= 8_640_000_000_000_000;
}

function missing(from: number, to: number): Finding {
  const which = from === to ? `Line ${from} of the audit log is` : `Lines ${from} to ${to} of the audit log are`;
  return { section: 'ledger', line: from, message: `${which} missing.` };
}

function finding(seq: number, what: string): Finding {
  return { section: 'ledger', line: seq, message: `Line ${seq} of the audit log ${what}.` };
}
