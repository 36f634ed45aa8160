import type { z } from 'zod';
import { JsonError, parseStrictJson } from '../oci/strict-json.ts';
import { checkChain } from './chain-check.ts';
import { checkAgainstLedger } from './cross-check.ts';
import { type EvidenceDocument, type EvidenceEnvelope, envelopeSchema } from './document.ts';
import { extractJson } from './embedded.ts';
import { type Finding, lineFinding } from './finding.ts';
import { renderEvidenceHtml } from './html.ts';
import { type Line, lineSchemas, SECTION_NAMES } from './lines.ts';
import { checkSeals } from './seal-check.ts';

/** What a check of a file found. */
export interface VerificationResult {
  /** Nothing was found. */
  readonly intact: boolean;
  /** The first of what is wrong; `count` is how much there is. */
  readonly findings: readonly Finding[];
  readonly count: number;
  readonly form: 'json' | 'html' | 'unknown';
  /** What the file says about itself; absent when it cannot be read as evidence. */
  readonly document?: {
    readonly digest: string;
    readonly installation: string;
    readonly period: { readonly from: string; readonly to: string };
    readonly exportedAt: string;
    /** Lines of the audit log in it. */
    readonly ledgerLines: number;
    readonly head: { readonly seq: number; readonly hash: string };
  };
}

/** Largest file that is read, in bytes. */
export const LARGEST_FILE = 480 * 1024 * 1024;
const MOST_FINDINGS = 1000;

/**
 * Checks a document, as JSON or as the page with the JSON in it: form, seals of every line, section and the whole, the hash
 * chain of the audit log with its ends, decisions against the log, and for a page that it shows what its JSON says. `digest`
 * is the digest of the document as it was noted elsewhere: without it nobody can tell a document that was made anew from
 * beginning to end. Never throws for what is in the file.
 */
export function verifyEvidence(bytes: Uint8Array, expected: { readonly digest?: string } = {}): VerificationResult {
  if (bytes.byteLength > LARGEST_FILE)
    return unreadable('unknown', `The file is larger than ${LARGEST_FILE} bytes: it is no evidence document.`);
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const form = /^\s*\{/.test(file.toString('latin1', 0, 100)) ? 'json' : 'html';
  const json = form === 'json' ? file : extractJson(file);
  if (!json)
    return unreadable('unknown', 'The file is neither an evidence document in JSON nor a page that holds one.');
  let value: unknown;
  try {
    value = parseStrictJson(json);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return unreadable(form, `The document cannot be read: ${error.message}.`);
  }
  const envelope = envelopeSchema.safeParse(value);
  if (!envelope.success)
    return unreadable(
      form,
      ...envelope.error.issues.map((issue) => `The document is not in form: ${sayIssue(issue)}.`),
    );
  // The value as it was read, not as the schema copied it: a page is compared member by member.
  return judged(form, value as EvidenceEnvelope, file, expected.digest);
}

function judged(
  kind: 'json' | 'html',
  document: EvidenceEnvelope,
  file: Buffer,
  noted: string | undefined,
): VerificationResult {
  const form = checkForm(document);
  const findings = [...checkSeals(document), ...form.findings];
  findings.push(...checkChain(document.chain, document.period, form.ledger));
  if (form.findings.length === 0) {
    const whole = document as EvidenceDocument;
    findings.push(...checkAgainstLedger(whole));
    if (kind === 'html') findings.push(...checkPage(whole, file));
  }
  const { digest, ...about } = describe(document);
  if (noted !== undefined && noted !== digest)
    findings.push({
      message: `The digest of the document is ${digest}, not ${noted.slice(0, 100)}: it is another document.`,
    });
  return { ...resultOf(kind, findings), document: { digest, ...about } };
}

/** Whether each line has the members its section demands, and the lines of the audit log that have. */
function checkForm(document: EvidenceEnvelope): { findings: Finding[]; ledger: Line<'ledger'>[] } {
  const findings: Finding[] = [];
  const ledger: Line<'ledger'>[] = [];
  for (const name of SECTION_NAMES) {
    const first = name === 'ledger' ? document.chain.before.seq + 1 : 1;
    for (const [index, line] of document.sections[name].entries()) {
      const issue = lineSchemas[name].safeParse(line).error?.issues[0];
      if (issue) findings.push(lineFinding(name, index + first, `is not in form: ${sayIssue(issue)}`));
      else if (name === 'ledger') ledger.push(line as Line<'ledger'>);
    }
  }
  return { findings, ledger };
}

/** A page is rendered from its JSON by a pure function: doing it again must give the same page. */
function checkPage(document: EvidenceDocument, file: Buffer): Finding[] {
  const [found, wanted] = [file.toString().split('\n'), renderEvidenceHtml(document).split('\n')];
  const length = Math.max(found.length, wanted.length);
  for (let index = 0; index < length; index += 1)
    if (found[index] !== wanted[index])
      return [
        {
          message: `Line ${index + 1} of the page does not show what the document in it says; trust the document, or render the page again.`,
        },
      ];
  return [];
}

function describe({ seals, installation, period, exportedAt, sections, chain }: EvidenceEnvelope) {
  return {
    digest: seals.document,
    installation: installation.name,
    period,
    exportedAt,
    ledgerLines: sections.ledger.length,
    head: chain.head,
  };
}

function sayIssue({ path, message }: z.core.$ZodIssue): string {
  return `${path.map(String).join('.').slice(0, 200) || 'document'}: ${message.slice(0, 300)}`;
}

function unreadable(form: VerificationResult['form'], ...messages: readonly string[]): VerificationResult {
  return resultOf(
    form,
    messages.map((message) => ({ message })),
  );
}

function resultOf(form: VerificationResult['form'], findings: readonly Finding[]) {
  return { intact: findings.length === 0, findings: findings.slice(0, MOST_FINDINGS), count: findings.length, form };
}
