import { oneLine } from '../platform/one-line.ts';
import type { ExceptionData, FindingData } from './event-data.ts';
import type { Message } from './message.ts';

const LONGEST_LINE = 600;

/** A message in one line of printable text, for people: what happened, to what, and what comes next. */
export function lineOf(message: Message): string {
  return shortened(oneLine(sentence(message)), LONGEST_LINE);
}

/** What a message lists beneath its line, one line each. */
export function detailsOf(message: Message): readonly string[] {
  return details(message).map((line) => shortened(oneLine(line), LONGEST_LINE));
}

function sentence(message: Message): string {
  switch (message.type) {
    case 'PUSH': {
      const { repository, tags, digest, by } = message.data;
      return `${by} pushed ${tags.length > 0 ? `${repository}:${tags.join(', :')} (${digest})` : `${repository}@${digest}`}`;
    }
    case 'DELETE': {
      const { repository, digest, tags, deleted, by } = message.data;
      return deleted === 'tag'
        ? `${by} deleted the tag ${repository}:${tags.join(', :')}; ${digest} stays`
        : `${by} deleted ${repository}@${digest}${tags.length > 0 ? ` with its tags ${tags.join(', ')}` : ''}`;
    }
    case 'PULL_BLOCKED':
      return `${message.data.by} was refused ${message.data.repository}@${message.data.digest}: ${message.data.message}`;
    case 'ADMISSION_DENIED': {
      const { cluster, object, constraint, message: said } = message.data;
      return `cluster ${cluster} denied ${object.kind} ${object.namespace}/${object.name} (${constraint.name}): ${said}`;
    }
    case 'VERDICT_CHANGED': {
      const { total, blocked, released, cause, changes } = message.data;
      const [only] = changes;
      if (total === 1 && only)
        return `${only.repository}@${only.digest}: ${only.previous ?? 'new'} → ${only.verdict}: ${only.sentence}`;
      return `${total} verdicts changed (${cause}): ${blocked} newly blocked, ${released} released`;
    }
    case 'GRACE_ENDING': {
      const { total, images } = message.data;
      const [only] = images;
      if (total === 1 && only)
        return `${only.repository}@${only.digest} is blocked from ${only.deadline} on: ${named(only.findings, only.findingCount)}`;
      return `the grace of ${total} images ends soon, the first at ${only?.deadline ?? 'once'}`;
    }
    case 'EXCEPTION_REQUESTED':
      if (message.data.total !== undefined)
        return `${message.data.requestedBy} asks for ${message.data.total} exceptions in ${message.data.project}, the first for ${what(message.data)} until ${message.data.until}: ${message.data.reason}`;
      return `${message.data.requestedBy} asks for an exception in ${message.data.project} for ${what(message.data)} until ${message.data.until}: ${message.data.reason}`;
    case 'EXCEPTION_DECIDED':
      if (message.data.total !== undefined)
        return `${message.data.decidedBy} ${message.data.decision} ${message.data.total} exceptions in ${message.data.project}, the first for ${what(message.data)} (until ${message.data.until}): ${message.data.decisionReason}`;
      return `${message.data.decidedBy} ${message.data.decision} the exception in ${message.data.project} for ${what(message.data)} (until ${message.data.until}): ${message.data.decisionReason}`;
    case 'EXCEPTION_EXPIRING':
      return `the exception in ${message.data.project} for ${what(message.data)} ends at ${message.data.until}; ask for a new one, or fix it`;
    case 'EXCEPTION_EXPIRED':
      return `the exception in ${message.data.project} for ${what(message.data)} is over since ${message.data.until}`;
    case 'ADVISORIES_STALE':
      return `the advisory database is ${message.data.ageDays} days old (built ${message.data.builtAt}); bring a newer one with "breakwater db import"`;
    case 'TRUST_REVIEW_DUE':
      return `the review of the trusted source ${message.data.entry} ${message.data.overdue ? 'is overdue since' : 'is due at'} ${message.data.reviewDue}; its owner is ${message.data.owner}`;
    case 'POLICY_CHANGED': {
      const { owner, version, by, own, reason } = message.data;
      return `${by} ${own ? 'changed the policy of' : 'gave up the own policy of'} ${owner} (version ${version}): ${reason}`;
    }
    case 'QUARANTINED': {
      const { target, state, by, reason } = message.data;
      const done = {
        added: 'put into quarantine',
        'release-requested': 'up for release from quarantine',
        released: 'released from quarantine',
      };
      return `${target} was ${done[state]} by ${by}: ${reason}`;
    }
    case 'TEST':
      return message.data.text;
    case 'DIGEST':
      return `${message.data.total} events from ${message.data.from} to ${message.data.to}`;
    case 'TICKETS':
      return `tickets of ${message.data.repository}`;
  }
}

function details(message: Message): readonly string[] {
  switch (message.type) {
    case 'VERDICT_CHANGED': {
      const { total, changes, more } = message.data;
      if (total === 1) return changes.flatMap(({ added }) => added.map(finding));
      return [
        ...changes.map(
          (one) => `${one.repository}@${one.digest}: ${one.previous ?? 'new'} → ${one.verdict}: ${one.sentence}`,
        ),
        ...rest(total - changes.length, more),
      ];
    }
    case 'GRACE_ENDING': {
      const { total, images, more } = message.data;
      if (total === 1) return images.flatMap(({ findings }) => findings.map(finding));
      return [
        ...images.map(
          (one) => `${one.repository}@${one.digest}: ${one.deadline}: ${named(one.findings, one.findingCount)}`,
        ),
        ...rest(total - images.length, more),
      ];
    }
    case 'EXCEPTION_REQUESTED': {
      const { total = 0, requests = [], more } = message.data;
      return [
        ...requests.map((one) => `${what(one)} until ${one.until}: ${one.reason}`),
        ...rest(total - requests.length, more),
      ];
    }
    case 'EXCEPTION_DECIDED': {
      const { total = 0, exceptions = [], more } = message.data;
      return [
        ...exceptions.map((one) => `${what(one)} until ${one.until}: ${one.reason}`),
        ...rest(total - exceptions.length, more),
      ];
    }
    case 'DIGEST':
      return [...message.data.lines, ...rest(message.data.total - message.data.lines.length, undefined)];
    default:
      return [];
  }
}

function rest(count: number, more: string | undefined): string[] {
  return count > 0 ? [`and ${count} more${more === undefined ? '' : `: ${more}`}`] : [];
}

function finding({ vulnerability, package: name, installed, fixed, severity, rule }: FindingData): string {
  return [
    vulnerability ?? rule,
    `(${severity})`,
    ...(name === undefined ? [] : [`in ${name} ${installed ?? ''}`.trimEnd()]),
    ...(fixed === undefined ? [] : [`fixed in ${fixed}`]),
  ].join(' ');
}

function named(findings: readonly FindingData[], count: number): string {
  const [first] = findings;
  return `${first ? finding(first) : 'no finding'}${count > 1 ? ` and ${count - 1} more` : ''}`;
}

function what({ vulnerability, rule, package: name }: ExceptionData): string {
  return `${vulnerability ?? rule ?? 'a finding'}${name === undefined ? '' : ` in ${name}`}`;
}

/** A text is never cut within a character. */
function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`;
}
