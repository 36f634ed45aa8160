import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ListedFinding, type ListedPackage } from './facts.ts';

/** A difference between us and a tool. */
export interface Difference {
  readonly image: string;
  readonly tool: string;
  readonly kind: 'package' | 'finding';
  readonly side: 'only-ours' | 'only-theirs';
  readonly package: ListedPackage;
  readonly ids: readonly string[];
}

interface Rule {
  readonly test: (difference: Difference) => boolean;
  readonly reason: string;
}

const PATH = join(import.meta.dirname, 'reasons.tsv');
const COLUMNS = 7;

/** Explains differences by `reasons.tsv`: the first row that fits. A row names tool, kind, side, image, package, ids (globs) and the reason. */
export function readReasons(): (difference: Difference) => string | undefined {
  const [, ...lines] = readFileSync(PATH, 'utf8').trimEnd().split('\n');
  const rules = lines.map(ruleOf);
  return (difference) => rules.find(({ test }) => test(difference))?.reason;
}

function ruleOf(line: string, at: number): Rule {
  const cells = line.split('\t');
  const [tool = '', kind = '', side = '', image = '', item = '', ids = '', reason = ''] = cells;
  if (cells.length !== COLUMNS || reason === '') throw new Error(`${PATH}: line ${at + 2} is no rule`);
  const [isTool, isImage, isPackage, isId] = [glob(tool), glob(image), glob(item), glob(ids)];
  return {
    reason,
    test: (difference) =>
      isTool(difference.tool) &&
      (kind === '*' || kind === difference.kind) &&
      (side === '*' || side === difference.side) &&
      isImage(difference.image) &&
      isPackage(nameOf(difference.package)) &&
      (ids === '*' || difference.ids.some(isId)),
  };
}

/** `type/name@version`, what the package column is compared with. */
export function nameOf({ type, name, version }: ListedPackage): string {
  return `${type}/${name}@${version}`;
}

/** `*` stands for anything, `a|b` for either. */
function glob(text: string): (value: string) => boolean {
  const pattern = text
    .split('|')
    .map((one) =>
      one
        .split('*')
        .map((part) => part.replaceAll(/[.+?^${}()[\]\\]/g, String.raw`\$&`))
        .join('.*'),
    )
    .join('|');
  const form = new RegExp(`^(?:${pattern})$`);
  return (value) => form.test(value);
}

/** Findings as differences; the ids that people look up first. */
export function findingDifference(
  where: Pick<Difference, 'image' | 'tool' | 'side'>,
  finding: ListedFinding,
): Difference {
  return { ...where, kind: 'finding', package: finding.package, ids: finding.ids };
}
