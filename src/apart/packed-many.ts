import type { FindingLine } from '../findings/known-findings.ts';
import { STATUSES } from '../findings/status.ts';
import { defined } from '../platform/defined.ts';
import { newId } from '../platform/ids.ts';
import type { ComputedMany } from '../verdicts/judge-many.ts';
import type { Prepared } from '../verdicts/prepared.ts';
import type { Subject } from '../verdicts/subjects.ts';

/** What was computed, on its way between processes: a line that many images have goes there once. */
export interface PackedMany {
  /** Of the packer. */
  readonly packedBy: string;
  readonly subjects: readonly Subject[];
  /** Lines that are new, or are another one now, by number. */
  readonly lines: readonly (readonly [number: number, line: FindingLine])[];
  readonly replacements: readonly PackedPrepared[];
}

interface PackedPrepared extends Omit<Prepared, 'found'> {
  /** Numbers of lines; statuses by their place in `STATUSES`; epoch ms. */
  readonly found: { readonly lines: Uint32Array; readonly statuses: Uint8Array; readonly firstSeen: Float64Array };
}

/** Packs one part of a judging after the other. */
export function createPacker(): (computed: ComputedMany) => PackedMany {
  const packedBy = newId();
  const told = new Map<string, { readonly number: number; line: FindingLine }>();

  /** The same vulnerability of a package may come with another score. */
  function numberOf(line: FindingLine, fresh: Map<number, FindingLine>): number {
    const known = told.get(line.identity);
    if (known?.line === line) return known.number;
    const number = known?.number ?? told.size;
    if (!known || !isSaidAlike(known.line, line)) fresh.set(number, withoutRest(line));
    if (known) known.line = line;
    else told.set(line.identity, { number, line });
    return number;
  }

  return ({ subjects, replacements }) => {
    const fresh = new Map<number, FindingLine>();
    const packed = replacements.map(({ found, ...rest }) => ({
      ...rest,
      found: {
        lines: Uint32Array.from(found, ({ line }) => numberOf(line, fresh)),
        statuses: Uint8Array.from(found, ({ status }) => STATUSES.indexOf(status)),
        firstSeen: Float64Array.from(found, ({ firstSeen }) => firstSeen),
      },
    }));
    return { packedBy, subjects, lines: [...fresh], replacements: packed };
  };
}

/** What an identity does not say. */
function isSaidAlike({ reason: a }: FindingLine, { reason: b }: FindingLine): boolean {
  return a.epss === b.epss && (a.aliases ?? []).join('\n') === (b.aliases ?? []).join('\n');
}

/** The line is that of a verdict, of which the list takes a part. */
function withoutRest({ identity, traits, reason }: FindingLine): FindingLine {
  const { vulnerability, package: name, installed, fixed, severity, status, kev, aliases, epss } = reason;
  return {
    identity,
    traits,
    reason: defined({ vulnerability, package: name, installed, fixed, severity, status, kev, aliases, epss }),
  };
}

/** Unpacks what one packer packed, in its order. Throws `RangeError` for anything else. */
export function createUnpacker(): (packed: PackedMany) => ComputedMany {
  const lines: FindingLine[] = [];
  let packer: string | undefined;
  return ({ packedBy, subjects, lines: fresh, replacements }) => {
    packer ??= packedBy;
    if (packedBy !== packer) throw new RangeError('what was remembered of the parts before it is gone');
    for (const [number, line] of fresh) lines[number] = line;
    return {
      subjects,
      replacements: replacements.map(({ found, ...rest }) => ({
        ...rest,
        found: Array.from(found.lines, (number, at) => {
          const line = lines[number];
          const status = STATUSES[found.statuses[at] ?? -1];
          const firstSeen = found.firstSeen[at];
          if (!line || !status || firstSeen === undefined) throw new RangeError(`line ${number} was never told`);
          return { line, status, firstSeen };
        }),
      })),
    };
  };
}
