import type { SetAside } from './report.ts';

/** `.breakwaterignore line 3, until 2027-01-31: not reachable`, or what a VEX statement says. */
export function setAsideText(aside: SetAside): string {
  if (aside.by === 'vex') return aside.reason;
  const { document, line, until, reason } = aside;
  const end = until === undefined ? '' : `, until ${until.slice(0, 10)}`;
  return `${document} line ${line}${end}${reason === undefined ? '' : `: ${reason}`}`;
}
