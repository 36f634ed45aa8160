import type { Simulation } from '../api/contract/simulations.ts';
import { counted } from '../platform/counted.ts';
import { minute } from './moments.ts';
import { facts, table } from './output.ts';

/** Lines of each list that are shown; the JSON form has all. */
const SHOWN = 20;

type Calendar = NonNullable<Simulation['calendar']>;

/** What a simulation found, for people: the sums first, then what is behind them. */
export function renderSimulation(found: Simulation): string {
  const { images, running } = found;
  const parts = [
    facts([
      ['at', minute(found.at)],
      ['images', `${images.judged} judged, ${images.blockedAfter} blocked (${images.blockedBefore} now)`],
      ['become blocked', String(images.blocked)],
      ['become allowed', String(images.allowed)],
      ['warnings', `${images.warned} more, ${images.unwarned} fewer`],
      [
        'running',
        `${counted(running.containers, 'container')}; ${running.failing} of their owners fail at the next pull or admission, ` +
          `${running.newlyFailing} of them anew; ${running.recovering} that fail now would not`,
      ],
    ]),
    sums('by rule', 'rule', found.byRule),
    sums('by repository', 'repository', found.byRepository),
    sums('by namespace', 'namespace', found.byNamespace),
    listOf('What would be decided otherwise', found.changes.length, () =>
      table(
        ['image', 'now', 'then', 'rules', 'why'],
        found.changes
          .slice(0, SHOWN)
          .map(({ repository, digest, tag, before, after, rules, why }) => [
            tag === undefined ? `${repository}@${digest.slice(0, 19)}…` : `${repository}:${tag}`,
            before,
            after,
            rules.join(', '),
            why,
          ]),
      ),
    ),
    listOf('What runs and would fail', found.fails.length, () =>
      table(
        ['cluster', 'namespace', 'owner', 'container', 'fails at', 'now', 'image', 'why'],
        found.fails
          .slice(0, SHOWN)
          .map(({ cluster, namespace, kind, name, container, fails, already, image, why }) => [
            cluster,
            namespace,
            `${kind}/${name}`,
            container,
            fails === 'pull' ? 'next pull' : 'next admission',
            already ? 'fails too' : 'works',
            image,
            why,
          ]),
      ),
    ),
    found.calendar && calendarText(found.calendar),
  ].filter((part) => part !== undefined);
  return [...parts, ...(found.cut.length > 0 ? [`Cut, being too long: ${found.cut.join(', ')}.`] : [])].join('\n\n');
}

function sums(title: string, heading: string, lines: Simulation['byRule']): string | undefined {
  return listOf(`Images ${title}`.replace('Images by namespace', 'Owners by namespace'), lines.length, () =>
    table(
      [heading, 'blocked', 'allowed'],
      lines.slice(0, SHOWN).map(({ name, blocked, allowed }) => [name, String(blocked), String(allowed)]),
    ),
  );
}

function calendarText(calendar: Calendar): string {
  if (calendar.length === 0) return 'Time alone changes nothing until then.';
  return (
    listOf('What time alone changes', calendar.length, () =>
      table(
        ['at', 'what', 'of', 'images', 'blocked', 'allowed', 'running', 'where'],
        calendar
          .slice(0, SHOWN)
          .map((one) => [
            `${one.at.slice(0, 19).replace('T', ' ')}Z`,
            one.event.replaceAll('-', ' '),
            one.subject,
            ...[one.images, one.blocked, one.allowed, one.running].map(String),
            one.repositories.slice(0, 3).join(', ') + (one.repositories.length > 3 ? ', …' : ''),
          ]),
      ),
    ) ?? ''
  );
}

function listOf(title: string, count: number, render: () => string): string | undefined {
  if (count === 0) return undefined;
  const shown = count > SHOWN ? ` (${SHOWN} of ${count}; -o json has all)` : '';
  return `${title}${shown}:\n${render()}`;
}
