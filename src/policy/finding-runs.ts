import type { Finding } from '../model/finding.ts';

/** Findings of one package that follow each other. */
export type FindingRun = readonly Finding[];

const runs = new WeakMap<Finding, FindingRun>();

/**
 * Findings in runs, one after the other. The very same findings in the same order are the very same run, whatever image they were found
 * in: what is known of a run need not be found out for each of its findings again.
 */
export function runsOf(findings: readonly Finding[]): readonly FindingRun[] {
  const found: FindingRun[] = [];
  for (let at = 0; at < findings.length; at += found.at(-1)?.length ?? 1) found.push(runAt(findings, at));
  return found;
}

function runAt(findings: readonly Finding[], at: number): FindingRun {
  const first = findings[at];
  if (first === undefined) return [];
  const known = runs.get(first);
  if (known !== undefined && standsAt(known, findings, at)) return known;
  let end = at + 1;
  while (findings[end]?.package === first.package) end += 1;
  const run = findings.slice(at, end);
  runs.set(first, run);
  return run;
}

function standsAt(run: FindingRun, findings: readonly Finding[], at: number): boolean {
  for (let step = 0; step < run.length; step += 1) if (run[step] !== findings[at + step]) return false;
  return true;
}
