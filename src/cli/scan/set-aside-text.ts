import type { SetAside } from './report.ts';

/** `.breakwaterignore line 3, until 2027-01-31: not reachable`. */
export function setAsideText({ document, line, until, reason }: SetAside): string {
  const end = until === undefined ? '' : `, until ${until.slice(0, 10)}`;
  return `${document} line ${line}${end}${reason === undefined ? '' : `: ${reason}`}`;
}
