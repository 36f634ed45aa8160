import type { Contact, Verdict } from '../model/verdict.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { oneLine } from '../platform/one-line.ts';
import { shellWord } from '../platform/shell-word.ts';
import { describeFinding, describeTime } from './describe.ts';
import { cut, DECISIONS, sentence } from './explain.ts';
import { type ExplainedFinding, type Explanation, explanationOf, whomToAsk } from './explanation.ts';
import { contactOf, type Policy } from './policy.ts';
import { quarantineOf } from './quarantine.ts';

/** Longest warning of ours: a header line that every client takes and prints whole. */
const LONGEST_WARNING = 256;
/** Longer names are told by their end, so that there is room for what is said of them. */
const LONGEST_NAME = 100;

/** What a refusal is about. */
export interface Refused {
  /** `front/alpine:3.10` or `front/alpine@sha256:…`, as the command line takes it. */
  readonly image: string;
  readonly policy: Policy;
}

/**
 * The message of a refused pull. Begins with the sentence Harbor's users know, where the number is that of all findings not
 * excepted, then names the worst of those that block, and says what to do and whom to ask.
 */
export function refusal(verdict: Verdict, { image, policy }: Refused): string {
  const quarantine = quarantineOf(verdict);
  if (quarantine) return quarantineRefusal(image, quarantine.message);
  const { total } = verdict.counts;
  const start =
    `current image with ${total} ${total === 1 ? 'vulnerability' : 'vulnerabilities'} cannot be pulled due to configured policy in ` +
    `${preventRule(policy)} To continue with pull, please contact your project administrator to exempt matched vulnerabilities through configuring the CVE allowlist.`;
  const { findings, findingCount, why, reference, contact } = explanationOf(verdict);
  const [first] = findings;
  const about = first && reference !== undefined ? `Reason: ${reference}. ` : '';
  const said = first
    ? `${about}Worst: ${findings.map(nameWorst).join('; ')}${findingCount > findings.length ? `; and ${findingCount - findings.length} more` : ''}.`
    : `Reason: ${why}.`;
  return oneLine([start, said, nextSteps(image, first?.vulnerability), ...ask(contact)].join(' '));
}

/** What there is to say of a verdict as `name: value` lines, for people who have room for it: command line and mail. */
export function explanationLines(
  { kind, why, findings, findingCount, deadline, contact = {} }: Explanation,
  image: string,
): readonly (readonly [name: string, value: string])[] {
  const [worst, ...others] = findings;
  const more = findingCount > findings.length ? [`${findingCount - findings.length} more`] : [];
  const given: readonly (readonly [string, string | undefined])[] = [
    ['what', `${image} is ${DECISIONS[kind]}`],
    ['why', why],
    ['also', others.length === 0 ? undefined : [...others.map(nameWorst), ...more].join('; ')],
    ['fix', worst && (worst.fixed === undefined ? undefined : `${worst.package} ${worst.fixed}`)],
    [
      'deadline',
      deadline === undefined
        ? undefined
        : `${kind === 'warn' ? 'blocks from' : 'the first exception ends'} ${toRfc3339(deadline)}`,
    ],
    ['ask', contact.text === undefined ? undefined : whomToAsk(contact.text)],
    ['see', contact.link],
    ['next', kind === 'allow' ? undefined : `breakwater why ${image}`],
  ];
  return given.flatMap(([name, value]) => (value === undefined ? [] : [[name, oneLine(value)] as const]));
}

/** The message about content under quarantine. Nobody in the project can do anything about it, and it does not say so. */
export function quarantineRefusal(what: string, sentence: string): string {
  return oneLine(
    `${what} cannot be pulled: ${sentence}. No exception, permission or policy of a project overrides a quarantine; use another version, or ask the administrators, who see it with: breakwater quarantine list`,
  );
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
      ? `It could not be judged: ${detail ?? 'the analysis failed'}. Push it again, or see: \`breakwater verdict ${refused.image}\`.`
      : 'It is being analysed; try again in a moment.';
  return oneLine([start, next, ...ask(contactOf(refused.policy, 'block').contact)].join(' '));
}

/** The text of a `Warning: 299` header (RFC 9111, section 5.5): short, printable ASCII, without quotes and backslashes. */
export function warningText(verdict: Verdict, image: string): string {
  const name = image.length <= LONGEST_NAME ? image : `...${image.slice(3 - LONGEST_NAME)}`;
  const start = `${name} is ${DECISIONS[verdict.kind]}: `;
  return headerText(start + sentence(explanationOf(verdict), LONGEST_WARNING - start.length));
}

/** Any text in the form of a header's quoted string, without the quotes. */
export function headerText(text: string): string {
  const ascii = oneLine(text)
    .replaceAll('"', "'")
    .replace(/[^\x20-\x7e]|\\/g, '?');
  return cut(ascii, LONGEST_WARNING);
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

function nameWorst(finding: ExplainedFinding): string {
  const source = finding.severitySource === undefined ? '' : ` (${finding.severitySource})`;
  const time = describeTime(finding);
  return `${describeFinding(finding)}, ${finding.severity}${source}${time === '' ? '' : `, ${time}`}`;
}

function nextSteps(image: string, vulnerability?: string): string {
  const request =
    vulnerability === undefined
      ? ''
      : `; ask for an exception: \`breakwater exception request ${image} ${shellWord(vulnerability)} --until DATE --reason WHY\``;
  return `The smallest change that unblocks it: \`breakwater why ${image}\`; all there is: \`breakwater verdict ${image}\`${request}.`;
}

function ask({ text, link }: Contact = {}): readonly string[] {
  const whom = text === undefined ? [] : [`Ask ${whomToAsk(text)}.`];
  return link === undefined ? whom : [...whom, `See ${link}`];
}
