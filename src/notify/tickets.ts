import { createHash } from 'node:crypto';
import type { Db } from '../db/database.ts';
import { projectOf } from '../model/project-name.ts';
import { type Severity, severityRank } from '../model/severity.ts';
import type { Clock } from '../platform/clock.ts';
import { oneLine } from '../platform/one-line.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { Receiver } from './receiver.ts';
import type { SignedCall } from './signed-call.ts';
import { bodyOf, type TicketCall, type TicketValues, ticketIn, urlOf } from './ticket-template.ts';

/** A vulnerability that counts in a repository now. */
export interface TicketFact {
  readonly vulnerability: string;
  readonly severity: Severity;
  readonly packages: readonly string[];
  readonly fixed: readonly string[];
  /** Digests of the images it is in. */
  readonly images: readonly string[];
}

/** What tickets are about. Implemented by `verdicts`. */
export interface TicketFacts {
  /** What makes verdicts of a repository other than allow, excepted findings left out. */
  inRepository(repository: string): Promise<readonly TicketFact[]>;
}

interface Work {
  readonly receiver: Receiver;
  readonly url: string;
  readonly call: SignedCall;
  readonly repository: string;
}

/** Calls in one go; the rest follows. */
const MOST_CALLS = 25;
const MOST_NAMED = 10;

/** `unnumbered`: made there, but nobody can tell which it is, so that it is neither changed nor made again. */
type TicketState = 'open' | 'closed' | 'unnumbered';

interface Ticket {
  readonly vulnerability: string;
  readonly ticket: string;
  readonly state: string;
  readonly content: string;
}

/**
 * Opens, updates and closes tickets until they say what holds in a repository now: one for each vulnerability. What is done is kept
 * at once, so that a repetition goes on where it ended.
 */
export async function bringTicketsUpToDate(
  deps: { readonly db: Db; readonly clock: Clock; readonly tickets: TicketFacts },
  work: Work,
): Promise<Outcome> {
  const steps = await stepsFor(deps, work);
  for (const step of steps.slice(0, MOST_CALLS)) {
    const failed = await step();
    if (failed) return failed;
  }
  return steps.length > MOST_CALLS ? { kind: 'progress' } : { kind: 'delivered' };
}

type Step = () => Promise<Outcome | undefined>;

async function stepsFor(
  { db, clock, tickets }: { readonly db: Db; readonly clock: Clock; readonly tickets: TicketFacts },
  { receiver, url, call, repository }: Work,
): Promise<readonly Step[]> {
  const { minSeverity, ticket: template } = receiver.settings;
  if (!template) return [];
  const least = minSeverity === undefined ? 0 : severityRank(minSeverity);
  const facts = (await tickets.inRepository(repository)).filter(({ severity }) => severityRank(severity) >= least);
  const known = new Map<string, Ticket>();
  for (const row of await db
    .selectFrom('notify_tickets')
    .select(['vulnerability', 'ticket', 'state', 'content'])
    .where('receiver_id', '=', receiver.id)
    .where('repository', '=', repository)
    .execute())
    known.set(row.vulnerability, row);

  async function keep(vulnerability: string, ticket: string, state: TicketState, content: string): Promise<void> {
    const row = { ticket, state, content, updated_at: clock.now() };
    await db
      .insertInto('notify_tickets')
      .values({ receiver_id: receiver.id, vulnerability, repository, ...row })
      .onConflict((conflict) => conflict.columns(['receiver_id', 'repository', 'vulnerability']).doUpdateSet(row))
      .execute();
  }

  function callOf(one: TicketCall, values: TicketValues, content: string) {
    const { ticket, vulnerability } = values;
    return call({
      // The same for the same call, so that a receiver can tell a repetition.
      uid: `tkt_${hashOf([receiver.id, repository, vulnerability, one.method, one.path, ticket, content])}`,
      method: one.method,
      url: urlOf(one, url, ticket),
      type: 'application/json',
      body: bodyOf(one, values),
    });
  }

  const open: Step[] = facts.flatMap((fact): Step[] => {
    const before = known.get(fact.vulnerability);
    const content = hashOf([fact]);
    if (before?.state === 'unnumbered') return [];
    if (before?.state === 'open') {
      const { update } = template;
      if (!update || before.content === content) return [];
      return [
        async () => {
          const outcome = outcomeOf(await callOf(update, valuesOf(fact, repository, before.ticket), content));
          if (outcome.kind !== 'delivered') return outcome;
          await keep(fact.vulnerability, before.ticket, 'open', content);
          return undefined;
        },
      ];
    }
    return [
      async () => {
        const values = valuesOf(fact, repository, '');
        // Closed before and here again: another ticket.
        const reply = await callOf(template.open, values, `${content}${before?.ticket ?? ''}`);
        const outcome = outcomeOf(reply);
        if (outcome.kind !== 'delivered') return outcome;
        const ticket = ticketIn(reply.text, template.id);
        if (ticket === undefined) {
          await keep(fact.vulnerability, '', 'unnumbered', content);
          return {
            kind: 'failed',
            error: `its reply holds no number of a ticket at ${template.id}; see the template, and close what it opened by hand`,
            final: true,
          };
        }
        await keep(fact.vulnerability, ticket, 'open', content);
        return undefined;
      },
    ];
  });
  const present = new Set(facts.map(({ vulnerability }) => vulnerability));
  const gone = [...known.values()].filter(
    ({ state, vulnerability }) => state === 'open' && !present.has(vulnerability),
  );
  const close: Step[] = gone.map((one) => async () => {
    const fact = { vulnerability: one.vulnerability, severity: 'none', packages: [], fixed: [], images: [] } as const;
    const reply = await callOf(template.close, valuesOf(fact, repository, one.ticket), 'closed');
    const outcome = outcomeOf(reply);
    // Somebody deleted it there: there is nothing left to close.
    if (outcome.kind !== 'delivered' && reply.status !== 404 && reply.status !== 410) return outcome;
    await keep(one.vulnerability, one.ticket, 'closed', one.content);
    return undefined;
  });
  const forget: Step[] = [...known.values()]
    .filter(({ state, vulnerability }) => state === 'unnumbered' && !present.has(vulnerability))
    .map(({ vulnerability }) => async () => {
      await db
        .deleteFrom('notify_tickets')
        .where('receiver_id', '=', receiver.id)
        .where('repository', '=', repository)
        .where('vulnerability', '=', vulnerability)
        .execute();
      return undefined;
    });
  return [...open, ...close, ...forget];
}

function valuesOf(fact: TicketFact, repository: string, ticket: string): TicketValues {
  const { vulnerability, severity, packages, fixed, images } = fact;
  const texts = {
    vulnerability,
    repository,
    project: projectOf(repository),
    severity,
    packages: named(packages),
    fixed: named(fixed),
    images: named(images),
    summary:
      images.length === 0
        ? `${vulnerability} is not in ${repository} any more, or does not count there`
        : `${vulnerability} (${severity}) is in ${images.length === 1 ? 'an image' : `${images.length} images`} of ${repository}: ${named(packages)}${fixed.length > 0 ? `; fixed in ${named(fixed)}` : ''}`,
    ticket,
  };
  return Object.fromEntries(Object.entries(texts).map(([field, text]) => [field, oneLine(text)])) as TicketValues;
}

function named(list: readonly string[]): string {
  const rest = list.length - MOST_NAMED;
  return list.slice(0, MOST_NAMED).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function hashOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
