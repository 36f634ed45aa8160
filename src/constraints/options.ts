import type { MatchingMode } from '../trust/match/matcher.ts';

const MESSAGE_STYLES = ['welkin-docs', 'gatekeeper', 'welkin-current'] as const;
export type MessageStyle = (typeof MESSAGE_STYLES)[number];

/** How a constraint behaves beyond what Gatekeeper's own fields say: annotations, because it refuses unknown parameters. */
export interface ConstraintOptions {
  /** Exactly as Gatekeeper: raw prefixes, its library's texts and places, no verdicts, no grace. */
  readonly compat: boolean;
  readonly style: MessageStyle;
  readonly matching: MatchingMode;
  /** Which updates can be denied: those that bring an image the old object lacked, or all. */
  readonly updates: 'new-images' | 'strict';
  /** How long after the rule or verdict changed a restart of what ran before only warns; ms. */
  readonly restartGrace: number | 'forever' | 'none';
  /** What an image of our registry does whose verdict is not known or too old. */
  readonly unknown: 'warn' | 'deny' | 'ignore';
  /** Audit reports the owner on top once, or every object. */
  readonly report: 'top' | 'raw';
}

export const OPTION_ANNOTATIONS = {
  compat: 'breakwater/compat',
  style: 'breakwater/message-style',
  matching: 'breakwater/matching',
  updates: 'breakwater/updates',
  restartGrace: 'breakwater/restart-grace',
  unknown: 'breakwater/unknown-images',
  report: 'breakwater/report',
} as const;

/** Those that change which images are denied when they are created. */
export const DECIDING_ANNOTATIONS = [
  OPTION_ANNOTATIONS.compat,
  OPTION_ANNOTATIONS.matching,
  OPTION_ANNOTATIONS.unknown,
] as const;

/** Values each annotation may have; a restart grace may also be a number of days, hours or minutes. */
const OPTION_VALUES = {
  compat: ['none', 'gatekeeper'],
  style: MESSAGE_STYLES,
  matching: ['reference', 'prefix'],
  updates: ['new-images', 'strict'],
  restartGrace: ['forever', 'none'],
  unknown: ['warn', 'deny', 'ignore'],
  report: ['top', 'raw'],
} as const;

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000 };
const DEFAULT_GRACE_MS = 30 * 86_400_000;
const DURATION = /^(\d{1,5})([dhm])$/;

export interface OptionsRead {
  readonly options: ConstraintOptions;
  readonly problems: readonly string[];
}

/** Reads the options of a constraint from its annotations; what cannot be read is a problem and the default holds. */
export function readOptions(annotations: Readonly<Record<string, string>>): OptionsRead {
  const problems: string[] = [];
  function text(option: keyof typeof OPTION_ANNOTATIONS): string | undefined {
    const key = OPTION_ANNOTATIONS[option];
    return Object.hasOwn(annotations, key) ? annotations[key] : undefined;
  }
  function choice<Option extends keyof typeof OPTION_VALUES>(
    option: Option,
    otherwise: (typeof OPTION_VALUES)[Option][number],
  ): (typeof OPTION_VALUES)[Option][number] {
    const written = text(option);
    const values: readonly (typeof OPTION_VALUES)[Option][number][] = OPTION_VALUES[option];
    const known = values.find((value) => value === written);
    if (written !== undefined && known === undefined) {
      problems.push(`annotation ${OPTION_ANNOTATIONS[option]}: "${written}" is not known; use ${values.join(' or ')}`);
    }
    return known ?? otherwise;
  }
  function grace(otherwise: number | 'none'): ConstraintOptions['restartGrace'] {
    const written = text('restartGrace');
    if (written === undefined) return otherwise;
    if (written === 'forever' || written === 'none') return written;
    const [, amount, unit = ''] = DURATION.exec(written) ?? [];
    const ms = Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
    if (Number.isFinite(ms)) return ms;
    problems.push(
      `annotation ${OPTION_ANNOTATIONS.restartGrace}: "${written}" is not known; use 30d, 12h, forever or none`,
    );
    return otherwise;
  }
  const compat = choice('compat', 'none') === 'gatekeeper';
  const options: ConstraintOptions = {
    compat,
    style: choice('style', compat ? 'gatekeeper' : 'welkin-docs'),
    matching: choice('matching', compat ? 'prefix' : 'reference'),
    updates: choice('updates', compat ? 'strict' : 'new-images'),
    restartGrace: grace(compat ? 'none' : DEFAULT_GRACE_MS),
    unknown: choice('unknown', compat ? 'ignore' : 'warn'),
    report: choice('report', compat ? 'raw' : 'top'),
  };
  return { options, problems };
}
