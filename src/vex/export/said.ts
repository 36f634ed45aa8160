import type { Finding, VexStatus } from '../../model/finding.ts';
import { type GrantedException, JUSTIFICATIONS, type Justification } from '../../policy/exceptions.ts';
import type { VexStatement } from '../../scanner/vex/types.ts';

/** Kind of what is to be done, as the formats tell apart. */
type Remedy = 'upgrade' | 'no_fix_planned' | 'none_available';

/** What is said of one finding to others. */
export interface Said {
  readonly status: VexStatus;
  /** With `not_affected`. */
  readonly justification?: Justification;
  /** With `not_affected`: why, in words. */
  readonly impact?: string;
  /** With `affected`: what to do. */
  readonly action?: string;
  readonly remedy?: Remedy;
  /** Since when it is so, epoch ms. */
  readonly at: number;
}

/** A granted exception with what it was granted for. */
export interface ExportedException extends GrantedException {
  readonly reason: string;
  /** Granted because the image is not affected; otherwise somebody lives with the risk. */
  readonly notAffected?: { readonly justification?: string };
}

/**
 * What is to be said of a finding. A risk that somebody accepted is `affected` and says so: never `not_affected`, which would tell
 * everybody else that there is none.
 */
export function sayOf(
  finding: Finding,
  {
    statement,
    exceptions,
    firstSeen,
  }: {
    /** The VEX statement that counts. */
    readonly statement?: VexStatement | undefined;
    /** In force, about this finding; the one that lasts longest first. */
    readonly exceptions: readonly ExportedException[];
    readonly firstSeen: number;
  },
): Said {
  if (statement && statement.status !== 'affected') return saidBefore(statement, firstSeen);
  const spared = exceptions.find(({ notAffected }) => notAffected !== undefined);
  if (!statement && spared)
    return {
      status: 'not_affected',
      ...reasoned(spared.notAffected?.justification, spared.reason),
      at: spared.from,
    };
  const [accepted] = exceptions;
  const { action, remedy } = remedyOf(finding);
  if (accepted)
    return {
      status: 'affected',
      action: `Risk accepted until ${toDay(accepted.until)}: ${accepted.reason} ${action}`,
      remedy,
      at: accepted.from,
    };
  if (!statement && finding.status === 'under_investigation') return { status: 'under_investigation', at: firstSeen };
  return { status: 'affected', action, remedy, at: statement?.at ?? firstSeen };
}

function saidBefore({ status, justification, author, at }: VexStatement, firstSeen: number): Said {
  const moment = at ?? firstSeen;
  if (status !== 'not_affected') return { status, at: moment };
  return { status, ...reasoned(justification, `So says ${author}.`), at: moment };
}

/** A reason that all formats know, and the words for it. */
function reasoned(justification: string | undefined, words: string): Pick<Said, 'justification' | 'impact'> {
  const known = JUSTIFICATIONS.find((one) => one === (EQUIVALENT.get(justification ?? '') ?? justification));
  if (known) return { justification: known, impact: words };
  return { impact: justification === undefined ? words : `${justification}. ${words}` };
}

/** Reasons of CycloneDX that mean the same. The others have no like, and stay words. */
const EQUIVALENT: ReadonlyMap<string, Justification> = new Map([
  ['code_not_present', 'vulnerable_code_not_present'],
  ['code_not_reachable', 'vulnerable_code_not_in_execute_path'],
  ['protected_by_mitigating_control', 'inline_mitigations_already_exist'],
]);

function remedyOf(finding: Finding): { readonly action: string; readonly remedy: Remedy } {
  const { name } = finding.package;
  if (finding.malicious)
    return { action: `Remove ${name}: the package itself is the attack.`, remedy: 'none_available' };
  if (finding.fixed !== undefined)
    return { action: `Upgrade ${name} from ${finding.installed} to ${finding.fixed}.`, remedy: 'upgrade' };
  if (finding.subscriptionFix !== undefined)
    return { action: `Upgrade ${name} to ${finding.subscriptionFix}, which needs a subscription.`, remedy: 'upgrade' };
  switch (finding.status) {
    case 'will_not_fix':
      return {
        action: `The publisher of ${name} will not fix it: remove or replace the package.`,
        remedy: 'no_fix_planned',
      };
    case 'end_of_life':
      return {
        action: `The release of ${name} gets no more fixes: move to one that does.`,
        remedy: 'no_fix_planned',
      };
    case 'fix_deferred':
      return {
        action: `The publisher of ${name} has put the fix off: wait for it, or remove the package.`,
        remedy: 'none_available',
      };
    default:
      return {
        action: `There is no fix for ${name} yet: wait for one, or remove the package.`,
        remedy: 'none_available',
      };
  }
}

function toDay(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}
