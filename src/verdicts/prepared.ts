import { type Found, foundIn } from '../findings/found.ts';
import type { FindingLines } from '../findings/known-findings.ts';
import type { VerdictKind } from '../model/verdict.ts';
import { type EventRow, eventRow } from '../notify/outbox.ts';
import type { ComputedImage } from './compute-many.ts';
import type { Cause } from './ports.ts';
import type { Reckoning } from './reckon.ts';
import type { Subject } from './subjects.ts';
import { changeDocumentOf, type DocumentTexts, documentOf } from './verdict-document.ts';
import { verdictChanged } from './verdict-events.ts';
import { causeOf, describeChange, type Revision, type StoredVerdict } from './verdict-store.ts';

/**
 * A verdict in the place of another, with all that can be said of it before it is written: nobody else can write while that is done.
 * Values alone, so that it may be made in another process.
 */
export interface Prepared {
  readonly subject: Subject;
  /** Of the verdict it was computed against. */
  readonly revision: Revision;
  readonly previous: VerdictKind;
  readonly verdict: VerdictRow;
  /** The clocks that are to be started. */
  readonly reckoning: Reckoning;
  /** What the list of findings is to say of it. */
  readonly found: readonly Found[];
  /** What is noted and told of it, where it is another one. */
  readonly change?: PreparedChange;
}

/** A verdict as it is kept. */
interface VerdictRow {
  readonly kind: VerdictKind;
  readonly document: string;
  readonly advisories: string;
  readonly policyVersion: number;
  /** Epoch ms. */
  readonly judgedAt: number;
  readonly changesAt: number | null;
  readonly becomes: string | null;
}

interface PreparedChange {
  readonly cause: Cause;
  readonly document: string;
  readonly event: EventRow;
}

/** What is remembered from one call to the next: verdicts that are computed together share lines. */
export interface PrepareMemory {
  readonly texts: DocumentTexts;
  readonly lines: FindingLines;
}

/** Says what is to be written when a verdict takes the place of the one it was computed against. */
export function prepare(
  { subject, verdict, reckoning }: ComputedImage,
  before: StoredVerdict,
  cause: Cause,
  { texts, lines }: PrepareMemory,
): Prepared {
  const change = describeChange(before.verdict, verdict);
  const own = causeOf(cause, before, change);
  return {
    subject,
    revision: before.revision,
    previous: before.verdict.kind,
    verdict: {
      kind: verdict.kind,
      document: documentOf(verdict, texts),
      advisories: verdict.inputs.advisories,
      policyVersion: verdict.inputs.policy,
      judgedAt: verdict.judgedAt,
      changesAt: verdict.changesAt ?? null,
      becomes: verdict.becomes ? JSON.stringify(verdict.becomes) : null,
    },
    reckoning: toBeStarted(reckoning),
    found: foundIn(verdict, lines),
    ...(change && {
      change: {
        cause: own,
        document: changeDocumentOf(change, texts),
        event: eventRow(verdictChanged(subject, before.verdict.kind, verdict, { change, cause: own })),
      },
    }),
  };
}

/** Of its clocks those alone that a repository does not know yet. */
function toBeStarted({ clocks, newInRepository, newInImage }: Reckoning): Reckoning {
  const needed = [...newInRepository.keys()].flatMap((key) => {
    const clock = clocks.get(key);
    return clock ? [[key, clock] as const] : [];
  });
  return { clocks: new Map(needed), newInRepository, newInImage };
}
