import { canonicalJson } from '../oci/canonical.ts';
import type { EvidenceDocument } from './document.ts';
import { type Finding, lineFinding } from './finding.ts';
import type { Decision, Line } from './lines.ts';

/** A version and its line are written in one transaction, which waits for others this long at most. */
const LATE_MS = 60_000;

/**
 * Compares what sections say about decisions with the lines of the audit log that record them, so that whoever changes a
 * section and puts new seals on has to break the hash chain as well. Decisions from before the period have no line here.
 */
export function checkAgainstLedger({ sections, chain, period }: EvidenceDocument): Finding[] {
  const entries = new Map(sections.ledger.map((line) => [line.seq, line]));
  const inDocument = (seq: number) => seq > chain.before.seq && seq <= chain.last.seq;
  const decided = Map.groupBy(sections.ledger.filter(isDecision), ({ details }) => details['id']);
  const findings: Finding[] = [];
  for (const section of ['exceptions', 'trustedSources'] as const)
    for (const [index, { id, decisions }] of sections[section].entries()) {
      const wrong = decisions.find(
        (one) => inDocument(one.ledgerLine) && !records(entries.get(one.ledgerLine), id, one),
      );
      const told = new Set(decisions.map(({ ledgerLine }) => ledgerLine));
      const untold = decided.get(id)?.find(({ seq }) => !told.has(seq));
      const say = (what: string) => findings.push(lineFinding(section, index + 1, what, `id ${id.slice(0, 60)}`));
      if (wrong) say(`tells the decision of ${wrong.at} otherwise than line ${wrong.ledgerLine} of the audit log`);
      if (untold) say(`leaves out the decision in line ${untold.seq} of the audit log`);
    }
  return [...findings, ...checkPolicies(sections, chain, period)];
}

function records(entry: Line<'ledger'> | undefined, id: string, decision: Decision): boolean {
  if (!entry) return false;
  const { reason } = entry.details;
  return (
    entry.action === decision.action &&
    entry.actor === decision.by &&
    entry.time === decision.at &&
    entry.details['id'] === id &&
    (typeof reason === 'string' ? reason : undefined) === decision.reason
  );
}

function isDecision({ action }: Line<'ledger'>): boolean {
  return /^(exception|trust)\./.test(action);
}

/** Every policy version of the period was written down in the log when it was made, as a whole. */
function checkPolicies(
  { policyVersions, ledger }: EvidenceDocument['sections'],
  { after }: EvidenceDocument['chain'],
  period: EvidenceDocument['period'],
): Finding[] {
  const made = new Map(
    ledger
      .filter(({ action }) => action === 'policy.set' || action === 'policy.inherit')
      .map((entry) => [entry.details['version'], entry]),
  );
  return policyVersions.flatMap((line, index) => {
    const entry = made.get(line.version);
    // The line of a version made at the very end of the period may already belong to the next.
    const tooLate = !entry && after !== undefined && Date.parse(period.to) - Date.parse(line.createdAt) <= LATE_MS;
    if (tooLate || (entry && tellsVersion(entry, line))) return [];
    return [
      lineFinding('policyVersions', index + 1, 'does not say what the audit log says', `version ${line.version}`),
    ];
  });
}

function tellsVersion(
  { actor, target, details }: Line<'ledger'>,
  { owner, author, reason, policy }: Line<'policyVersions'>,
): boolean {
  return (
    actor === author &&
    target === owner &&
    details['reason'] === reason &&
    canonicalJson(details['policy'] ?? null) === canonicalJson(policy ?? null)
  );
}
