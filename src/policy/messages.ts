import type { Reason, Verdict } from '../model/verdict.ts';
import { describeFinding } from './describe.ts';
import { clean, countingReasons, explain, why } from './explain.ts';
import type { Policy } from './policy.ts';

const WORST_SHOWN = 3;
/** Longest warning: a header line that every client takes. */
const LONGEST_WARNING = 400;

/** What a refusal is about. */
export interface Refused {
  /** `front/alpine:3.10` or `front/alpine@sha256:…`, as the command line takes it. */
  readonly image: string;
  readonly policy: Policy;
}

/**
 * The message of a refused pull. Begins with the sentence Harbor's users know, where the number is that of all findings not
 * excepted, then names the worst of those that block, and says what to do.
 */
export function refusal(verdict: Verdict, { image, policy }: Refused): string {
  const { total } = verdict.counts;
  const start =
    `current image with ${total} ${total === 1 ? 'vulnerability' : 'vulnerabilities'} cannot be pulled due to configured policy in ` +
    `${preventRule(policy)} To continue with pull, please contact your project administrator to exempt matched vulnerabilities through configuring the CVE allowlist.`;
  const findings = distinctFindings(countingReasons(verdict));
  if (findings.length === 0) return clean(`${start} Reason: ${why(verdict)}. ${nextSteps(image)}`);
  const shown = findings.slice(0, WORST_SHOWN).map(nameWorst);
  const more = findings.length > WORST_SHOWN ? `; and ${findings.length - WORST_SHOWN} more` : '';
  return clean(`${start} Worst: ${shown.join('; ')}${more}. ${nextSteps(image, findings[0]?.vulnerability)}`);
}

/** The message for an image without a verdict: not analysed yet (pulls may try again), or the analysis failed. */
export function unscannedRefusal(state: 'pending' | 'failed' | 'never', refused: Refused, detail?: string): string {
  const what =
    state === 'never'
      ? 'current image without vulnerability scanning'
      : `current image with "${state === 'pending' ? 'Running' : 'Error'}" status of vulnerability scanning`;
  const start = `${what} cannot be pulled due to configured policy in ${preventRule(refused.policy)} To continue with pull, please contact your project administrator for help.`;
  const next =
    state === 'failed'
      ? `It could not be judged: ${detail ?? 'the analysis failed'}. Push it again, or see: \`breakwater verdict ${refused.image}\``
      : 'It is being analysed; try again in a moment.';
  return clean(`${start} ${next}`);
}

/** The text of a `Warning: 299` header (RFC 9111, section 5.5): short, printable ASCII, without quotes and backslashes. */
export function warningText(verdict: Verdict, image: string): string {
  return headerText(`${image} is ${explain(verdict)}`);
}

/** Any text in the form of a header's quoted string, without the quotes. */
export function headerText(text: string): string {
  const ascii = clean(text)
    .replaceAll('"', "'")
    .replace(/[^\x20-\x7e]|\\/g, '?');
  return ascii.length <= LONGEST_WARNING ? ascii : `${ascii.slice(0, LONGEST_WARNING - 3)}...`;
}

function preventRule(policy: Policy): string {
  return `'Prevent images with vulnerability severity of "${severityWord(policy)}" or higher from running.'`;
}

/** The stricter of both thresholds, capitalised as Harbor writes it. */
function severityWord({ block }: Policy): string {
  const order = ['none', 'low', 'medium', 'high', 'critical'] as const;
  const level = order.find((word) => word === block.fixable || word === block.unfixable) ?? 'none';
  return level.charAt(0).toUpperCase() + level.slice(1);
}

/** A vulnerability of a package may break several rules; it is named once. */
function distinctFindings(reasons: readonly Reason[]): Reason[] {
  const named = new Map<string, Reason>();
  for (const reason of reasons) {
    if (reason.vulnerability === undefined) continue;
    const key = describeFinding(reason);
    if (!named.has(key)) named.set(key, reason);
  }
  return [...named.values()];
}

function nameWorst(reason: Reason): string {
  const source = reason.severitySource === undefined ? '' : ` (${reason.severitySource})`;
  return `${describeFinding(reason)}, ${reason.severity}${source}`;
}

function nextSteps(image: string, vulnerability?: string): string {
  const ask =
    vulnerability === undefined
      ? ''
      : `; ask for an exception: \`breakwater exception request ${image} ${vulnerability} --until DATE --reason WHY\``;
  return `Update the packages and push again, or see everything: \`breakwater verdict ${image}\`${ask}.`;
}
