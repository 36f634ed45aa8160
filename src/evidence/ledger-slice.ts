import { GENESIS, type LedgerEntry, verifyChain } from '../ledger/chain.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Budget } from './budget.ts';
import type { EvidenceHeader } from './document.ts';
import type { Decision, Line } from './lines.ts';
import { type Period, toExactTime } from './period.ts';

/** What one walk over the whole audit log gives. */
export interface LedgerSlice {
  readonly chain: EvidenceHeader['chain'];
  readonly lines: readonly Line<'ledger'>[];
  /** Every decision on an exception or a trusted source, by its id, oldest first. */
  readonly decisions: ReadonlyMap<string, readonly Decision[]>;
  /** Names of projects that are gone, by id. */
  readonly formerProjects: ReadonlyMap<string, string>;
}

const PAGE = 1000;

/**
 * Walks the audit log from its first line to what is its newest one now: checks the chain, takes out the lines of the period
 * and where they stand, and what every decision was. One page is in memory at a time, apart from what is taken out.
 */
export async function sliceLedger(
  ledger: Pick<Ledger, 'list' | 'head'>,
  period: Period,
  budget: Budget,
): Promise<LedgerSlice> {
  const none = { seq: 0, hash: GENESIS };
  const head = (await ledger.head()) ?? none;
  const lines: Line<'ledger'>[] = [];
  const decisions = new Map<string, Decision[]>();
  const formerProjects = new Map<string, string>();
  let [before, last, previous] = [none, none, none];
  let after: { seq: number; previousHash: string } | undefined;
  let fault: number | undefined;
  let count = 0;

  for (let page = await nextPage(ledger, 0, head.seq); page.length > 0; ) {
    fault ??= verifyChain(page, previous);
    for (const entry of page) {
      const anchor = { seq: entry.seq, hash: entry.hash };
      // Time never runs backwards in the log: what stands between the two ends belongs to the period.
      if (lines.length === 0 && entry.at < period.from) [before, last] = [anchor, anchor];
      else if (after === undefined && entry.at < period.to) {
        lines.push(budget.take(toLine(entry)));
        last = anchor;
      } else after ??= { seq: entry.seq, previousHash: entry.previousHash };
      noteDecision(decisions, entry);
      noteFormerProject(formerProjects, entry);
      previous = anchor;
    }
    count += page.length;
    page = await nextPage(ledger, previous.seq, head.seq);
  }
  if (fault === undefined && (previous.seq !== head.seq || previous.hash !== head.hash)) fault = previous.seq + 1;
  return {
    chain: {
      before,
      last,
      ...(after === undefined ? {} : { after }),
      head,
      checked: { lines: count, ...(fault === undefined ? {} : { fault }) },
    },
    lines,
    decisions,
    formerProjects,
  };
}

/** Lines that are written while the export runs belong to the next one. */
async function nextPage(ledger: Pick<Ledger, 'list'>, after: number, last: number): Promise<LedgerEntry[]> {
  return (await ledger.list({ after, limit: PAGE })).filter(({ seq }) => seq <= last);
}

function toLine({ seq, at, ...entry }: LedgerEntry): Line<'ledger'> {
  return { seq, time: toExactTime(at), at, ...entry };
}

function noteDecision(decisions: Map<string, Decision[]>, { action, actor, at, details, seq }: LedgerEntry): void {
  const { id, reason } = details;
  if (!/^(exception|trust)\./.test(action) || typeof id !== 'string') return;
  const decision: Decision = {
    action,
    by: actor,
    at: toExactTime(at),
    ...(typeof reason === 'string' ? { reason } : {}),
    ledgerLine: seq,
  };
  const known = decisions.get(id);
  if (known) known.push(decision);
  else decisions.set(id, [decision]);
}

function noteFormerProject(names: Map<string, string>, { action, target, details }: LedgerEntry): void {
  const { id } = details;
  if (action === 'project.delete' && typeof id === 'string') names.set(id, target.replace(/^project\//, ''));
}
