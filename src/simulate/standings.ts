import { compareText } from '../oci/canonical.ts';
import { compileEntries } from '../trust/match/matcher.ts';
import type { Outcome, RunningChange } from './outcome.ts';
import type { Running } from './running.ts';
import { createSums } from './sums.ts';

/** How the registry would answer the next pull of something, and how it does now. */
export interface Standing {
  readonly before: boolean;
  readonly after: boolean;
  readonly rules: readonly string[];
  readonly why: string;
}

/** What is trusted, and what would be. */
export interface Trust {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** A failing pull, or a source that is not trusted any more, for each container that runs; what fails anew first. */
export function runningChanges(
  running: readonly Running[],
  standingOf: (one: Running) => Standing | undefined,
  trust: Trust | undefined,
): Pick<Outcome, 'running' | 'fails' | 'byNamespace'> {
  const untrusted = trust && sourcesLost(trust);
  const owners = new Map<string, { readonly namespace: string; before: boolean; after: boolean }>();
  const fails: RunningChange[] = [];
  for (const one of running) {
    const { cluster, namespace, kind, name, container, image } = one.seen;
    const place = { cluster, namespace, kind, name, container, image };
    const key = [cluster, namespace, kind, name].join('\0');
    const owner = owners.get(key) ?? { namespace: `${cluster}/${namespace}`, before: false, after: false };
    owners.set(key, owner);
    const standing = standingOf(one);
    if (standing) {
      owner.before ||= standing.before;
      owner.after ||= standing.after;
      const { rules, why, before: already } = standing;
      const digest = one.pulls && { digest: one.pulls.digest };
      if (standing.after) fails.push({ ...place, fails: 'pull', already, ...digest, rules, why });
    }
    const lost = untrusted?.(one);
    if (lost === undefined) continue;
    owner.after = true;
    fails.push({ ...place, fails: 'admission', already: false, rules: ['trusted-source'], why: lost });
  }
  const byNamespace = createSums();
  for (const { namespace, before, after } of owners.values()) {
    if (after && !before) byNamespace.add([namespace], 'blocked');
    if (before && !after) byNamespace.add([namespace], 'allowed');
  }
  const standings = [...owners.values()];
  return {
    running: {
      containers: running.length,
      failing: standings.filter(({ after }) => after).length,
      newlyFailing: standings.filter(({ before, after }) => after && !before).length,
      recovering: standings.filter(({ before, after }) => before && !after).length,
    },
    fails: fails.sort((a, b) => Number(a.already) - Number(b.already) || compareText(placeOf(a), placeOf(b))),
    byNamespace: byNamespace.list(),
  };
}

/** Says of what runs whether it is trusted now and would not be any more. */
function sourcesLost({ before, after }: Trust): (one: Running) => string | undefined {
  const [now, then] = [compileEntries(before), compileEntries(after)];
  return ({ seen: { image }, reference }) => {
    const entry = now.match(image, reference);
    if (entry === undefined || then.match(image, reference) !== undefined) return undefined;
    return `${image} is trusted by ${entry} alone; without it guards warn about its pods, or deny them`;
  };
}

function placeOf({ cluster, namespace, kind, name, container, fails }: RunningChange): string {
  return [cluster, namespace, kind, name, container, fails].join('\0');
}
