import type { Reason } from '../model/verdict.ts';

/** What becomes of a finding in an image: the first that is true. */
export const STATUSES = ['blocked', 'in-grace', 'warned', 'excepted', 'dismissed'] as const;
export type ListedStatus = (typeof STATUSES)[number];

/** Column that counts the images of a status. */
export const COUNTED = {
  blocked: 'blocked',
  'in-grace': 'in_grace',
  warned: 'warned',
  excepted: 'excepted',
  dismissed: 'dismissed',
} as const satisfies Record<ListedStatus, string>;

/** Letters that stand for statuses in the list of an image. */
const LETTERS = { blocked: 'b', 'in-grace': 'g', warned: 'w', excepted: 'e', dismissed: 'd' } as const;

/** What one line of a verdict makes of its finding. */
export function statusOf({ kind, deadline, vex }: Reason): ListedStatus {
  if (kind === 'block') return 'blocked';
  if (kind === 'warn') return deadline === undefined ? 'warned' : 'in-grace';
  return vex ? 'dismissed' : 'excepted';
}

export function worseOf(a: ListedStatus, b: ListedStatus): ListedStatus {
  return STATUSES.indexOf(a) <= STATUSES.indexOf(b) ? a : b;
}

/** The bit of a status among those of a row. */
export function bitOf(status: ListedStatus): number {
  return 1 << STATUSES.indexOf(status);
}

/** The bits of all of them. */
export function bitsOf(statuses: readonly ListedStatus[]): number {
  return statuses.reduce((all, status) => all | bitOf(status), 0);
}

/** The findings of an image as they are kept: by number, in order. */
export function writeList(findings: ReadonlyMap<number, ListedStatus>): string {
  return [...findings]
    .sort(([a], [b]) => a - b)
    .map(([id, status]) => `${id}${LETTERS[status]}`)
    .join(' ');
}

/** The other way round. */
export function readList(text: string): Map<number, ListedStatus> {
  if (text === '') return new Map();
  return new Map(
    text.split(' ').map((entry) => {
      const status = STATUSES.find((known) => LETTERS[known] === entry.at(-1));
      if (!status) throw new RangeError(`"${entry.slice(0, 40)}" is no finding of an image`);
      return [Number(entry.slice(0, -1)), status];
    }),
  );
}
