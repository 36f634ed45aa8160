import type { ExplainedImage } from '../api/contract/why.ts';
import { counted } from '../platform/counted.ts';
import { oneLine } from '../platform/one-line.ts';
import { whomToAsk } from '../policy/explanation.ts';
import { minute } from './moments.ts';
import { facts, table } from './output.ts';

type Plan = ExplainedImage['images'][number]['plans'][number];
type Part = Plan['parts'][number];
type Upgrade = Extract<Part, { kind: 'upgrade' }>;

/** Of a long list the first are shown; the JSON output has all. */
const MOST_SHOWN = 20;
const MOST_PACKAGES = 4;
const LONGEST_STEP = 70;
const WAYS = 3;

/** Why an image is decided upon as it is, for people: who said so, what comes when, and what to do. */
export function renderWhy(explained: ExplainedImage): string {
  return [
    facts([
      ['image', explained.image],
      ['digest', explained.digest],
      ['verdict', explained.sentence],
      ['judged', minute(explained.judgedAt)],
      ['changes', explained.changesAt && `${minute(explained.changesAt)}, by itself`],
      ['ask', explained.contact?.text === undefined ? undefined : whomToAsk(explained.contact.text)],
      ['see', explained.contact?.link],
    ]),
    ...section('What counts, worst first', worst(explained)),
    ...section('Rules', rules(explained)),
    ...section('Dates', deadlines(explained)),
    ...section('Exceptions in force', exceptions(explained)),
    ...section('VEX statements', vex(explained)),
    ...explained.images.flatMap((image) => advice(explained, image)),
  ].join('\n');
}

function section(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0
    ? []
    : ['', `${heading}:`, ...lines.flatMap((text) => text.split('\n')).map((text) => `  ${text}`)];
}

function worst({ worst: lines, counting }: ExplainedImage): string[] {
  const shown = lines.map(({ kind, message }) => oneLine(`${kind}: ${message}`));
  return counting > lines.length ? [...shown, `… and ${counting - lines.length} more; see: breakwater verdict`] : shown;
}

function rules({ policy }: ExplainedImage): string[] {
  if (policy.rules.length === 0) return [];
  return [
    table(
      ['field', 'value', 'from', 'set by', 'because'],
      policy.rules.map(({ field, value, origin, set }) => [
        field,
        text(value),
        origin,
        set === undefined ? '' : `${set.author}, version ${set.version}, ${minute(set.at)}`,
        set?.reason ?? '',
      ]),
    ),
  ];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function deadlines({ deadlines: dates }: ExplainedImage): string[] {
  const shown = dates
    .slice(0, MOST_SHOWN)
    .map(({ at, what, vulnerability, package: name, exception }) =>
      oneLine(
        `${minute(at)}  ${vulnerability} in ${name} ${what === 'blocks' ? 'blocks from then on' : `is no longer excepted (exception ${exception})`}`,
      ),
    );
  return more(shown, dates.length);
}

function exceptions({ exceptions: inForce }: ExplainedImage): string[] {
  return inForce.map(({ id, until, vulnerabilities, requestedBy, decidedBy, reason }) =>
    oneLine(
      `${id}  until ${minute(until)}  ${vulnerabilities.join(', ')}  asked for by ${requestedBy ?? '?'}, granted by ${decidedBy ?? '?'}: ${reason ?? ''}`,
    ),
  );
}

function vex({ vex: statements }: ExplainedImage): string[] {
  const shown = statements
    .slice(0, MOST_SHOWN)
    .map(({ vulnerability, package: name, status, author, justification, counts }) => {
      const why = justification === undefined ? '' : ` (${justification})`;
      return oneLine(
        `${vulnerability} in ${name}: ${status}${why}, says ${author}${counts ? '' : '; it still counts'}`,
      );
    });
  return more(shown, statements.length);
}

function advice(explained: ExplainedImage, image: ExplainedImage['images'][number]): string[] {
  const of = image.platform === undefined ? '' : ` for ${image.platform}`;
  const [smallest, ...others] = image.plans;
  if (!smallest)
    return image.obstacles.length === 0
      ? []
      : section(`Nothing in the image or by exception unblocks it${of}`, image.obstacles.map(oneLine));
  return [
    ...section(`The smallest change that unblocks it${of} (${sizeOf(smallest)})`, plan(explained, smallest)),
    ...others.slice(0, WAYS - 1).flatMap((other) => section(`Or (${sizeOf(other)})`, plan(explained, other))),
  ];
}

function sizeOf({ parts, after }: Plan): string {
  return `${counted(parts.length, 'change')}, then ${after === 'allow' ? 'allowed' : 'allowed with a warning'}`;
}

function plan({ image }: ExplainedImage, { parts, requests }: Plan): string[] {
  const upgrades = parts.filter((part) => part.kind === 'upgrade');
  return [
    ...parts.filter((part) => part.kind === 'base').map(baseLine),
    ...more(upgrades.slice(0, MOST_SHOWN).map(upgradeLine), upgrades.length),
    ...more(requests.slice(0, MOST_SHOWN).map(oneLine), requests.length),
    ...(Math.max(upgrades.length, requests.length) > MOST_SHOWN
      ? [`all of them: breakwater why ${image} -o json`]
      : []),
  ];
}

function baseLine({ from, to, layers, vulnerabilities, judgedBy }: Extract<Part, { kind: 'base' }>): string {
  const how =
    judgedBy === 'layers'
      ? 'judged with the layers of this image on it'
      : 'judged with the packages this image adds to it: its layers rewrite the list of packages, so build it anew';
  return oneLine(
    `build on ${to} instead of ${from} (${counted(layers, 'layer')}): ${some(vulnerabilities)} gone; ${how}`,
  );
}

function upgradeLine(part: Upgrade): string {
  const { package: name, packageType, installed, to, packages, vulnerabilities, module, places } = part;
  const others = packages.filter((one) => one !== name);
  const what = [
    `${name} ${installed} -> ${to} (${packageType}${module === undefined ? '' : `, module ${module}`})`,
    ...(others.length === 0 ? [] : [`with ${some(others)}`]),
    `ends ${some(vulnerabilities)}`,
    whereOf(places),
  ];
  return oneLine(`upgrade ${what.join('; ')}`);
}

function whereOf(places: Upgrade['places']): string {
  const [first] = places;
  if (!first) return '';
  const step = first.step === undefined ? '' : `, by ${cut(first.step)}`;
  return `in ${first.path}${step}${places.length > 1 ? ` and ${counted(places.length - 1, 'other place')}` : ''}`;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, MOST_PACKAGES).join(', ');
  return names.length > MOST_PACKAGES ? `${shown} and ${names.length - MOST_PACKAGES} more` : shown;
}

function cut(step: string): string {
  const line = oneLine(step);
  return line.length > LONGEST_STEP ? `${line.slice(0, LONGEST_STEP)}…` : line;
}

function more(shown: readonly string[], all: number): string[] {
  return all > shown.length ? [...shown, `… and ${all - shown.length} more`] : [...shown];
}
