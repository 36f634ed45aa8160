import { canonicalHash } from '../oci/canonical.ts';
import { documentDigest, type EvidenceEnvelope, headerOf, headerSeals, sectionDigest } from './document.ts';
import { type Finding, lineFinding, nameOfLine, SECTION_TITLES } from './finding.ts';
import { SECTION_NAMES, type SectionName } from './lines.ts';

/** Compares every line, section and header member with its seal, and the seals with the digest of the document. */
export function checkSeals(document: EvidenceEnvelope): Finding[] {
  const findings = [...checkHeader(document), ...SECTION_NAMES.flatMap((name) => checkSection(document, name))];
  if (documentDigest(document.seals) !== document.seals.document)
    findings.push({ message: 'The digest of the document does not fit the digests of its header and sections.' });
  return findings;
}

function checkHeader(document: EvidenceEnvelope): Finding[] {
  const computed = new Map(Object.entries(headerSeals(headerOf(document))));
  const sealed = new Map(Object.entries(document.seals.header));
  const names = [...new Set([...computed.keys(), ...sealed.keys()])];
  return names
    .filter((name) => computed.get(name) !== sealed.get(name))
    .map((name) => {
      const shown = JSON.stringify(name.slice(0, 60));
      if (!computed.has(name)) return { message: `The header had a member ${shown} that was removed.` };
      if (!sealed.has(name))
        return { message: `The header has a member ${shown} that was added, or its seal was removed.` };
      return { message: `The member ${shown} of the header, or its seal, was changed.` };
    });
}

function checkSection(document: EvidenceEnvelope, name: SectionName): Finding[] {
  const lines = document.sections[name];
  const seal = document.seals.sections[name];
  const computed = lines.map(canonicalHash);
  // Lines of the audit log have a number of their own; the others are counted from 1.
  const first = name === 'ledger' ? document.chain.before.seq + 1 : 1;
  if (sectionDigest(computed) === seal.digest) return checkLineSeals(name, first, computed, seal.lines);
  const findings = compareLines(name, first, lines, computed, seal.lines);
  if (findings.length === 0) findings.push(sectionFinding(name, 'has a digest that was changed'));
  else if (sectionDigest(seal.lines) !== seal.digest)
    findings.push(sectionFinding(name, 'has seals that were changed with its lines: they do not fit its digest'));
  return findings;
}

/** The lines fit the digest of their section: whatever differs, differs in the list of seals. */
function checkLineSeals(
  name: SectionName,
  first: number,
  computed: readonly string[],
  sealed: readonly string[],
): Finding[] {
  if (computed.length !== sealed.length)
    return [
      sectionFinding(name, `has ${computed.length} lines and ${sealed.length} seals: seals were added or removed`),
    ];
  return computed.flatMap((digest, index) =>
    digest === sealed[index] ? [] : [lineFinding(name, index + first, 'has a seal that was changed')],
  );
}

/** Says which lines were changed, removed, added or moved, counted as they were sealed. */
function compareLines(
  name: SectionName,
  first: number,
  lines: readonly unknown[],
  computed: readonly string[],
  sealed: readonly string[],
): Finding[] {
  const gone = withoutPartner(sealed, computed);
  const extra = withoutPartner(computed, sealed);
  // What stands where a line is gone, and was never sealed, is that line as it reads now. Removed lines before it move it up.
  const findings: Finding[] = [];
  let shift = 0;
  const pending = [...extra];
  for (const index of gone) {
    const at = pending.indexOf(index - shift);
    if (at >= 0) {
      pending.splice(at, 1);
      findings.push(lineFinding(name, index + first, 'was changed', nameOfLine(lines[index - shift])));
    } else {
      shift += 1;
      findings.push(lineFinding(name, index + first, 'was removed'));
    }
  }
  for (const index of pending) findings.push(lineFinding(name, index + first, 'was added', nameOfLine(lines[index])));
  if (findings.length === 0 && computed.some((digest, index) => digest !== sealed[index]))
    findings.push(sectionFinding(name, 'has its lines in another order than when it was sealed'));
  return findings;
}

/** Positions in `list` whose value does not occur, or occurs less often, in `others`. */
function withoutPartner(list: readonly string[], others: readonly string[]): number[] {
  const left = new Map<string, number>();
  for (const one of others) left.set(one, (left.get(one) ?? 0) + 1);
  return list.flatMap((one, index) => {
    const count = left.get(one) ?? 0;
    left.set(one, count - 1);
    return count > 0 ? [] : [index];
  });
}

function sectionFinding(section: SectionName, what: string): Finding {
  return { section, message: `Section "${section}" (${SECTION_TITLES[section]}) ${what}.` };
}
