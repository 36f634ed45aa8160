import { type Html, html, type Part } from './html-text.ts';
import type { Decision, Line, ReasonLine, SectionName } from './lines.ts';

/** How a section is shown: what it is, its columns, and a row for each line. */
export interface Table<Name extends SectionName> {
  readonly about: string;
  readonly columns: readonly string[];
  readonly row: (line: Line<Name>) => readonly Part[];
}

type Tables = { readonly [Name in SectionName]: Table<Name> };
type Kind = 'allow' | 'warn' | 'block';

/** Every section of the document as a table. */
export const TABLES: Tables = {
  manifests: {
    about: 'Every image, index and artifact in the registry, with the verdict as it was last computed.',
    columns: [
      'Repository',
      'Tags',
      'Digest',
      'Kind',
      'Pushed',
      'Verdict',
      'Findings',
      'Worst reason',
      'Judged',
      'Size',
    ],
    row: ({ repository, tags, digest, pushedBy, pushedAt, verdict, ...line }) => [
      repository,
      tags.join(', '),
      code(digest),
      line.artifactType ?? line.kind,
      `${pushedAt} by ${pushedBy}`,
      verdict ? mark(verdict.kind) : 'not judged',
      verdict ? findings(verdict.counts) : '',
      reason(verdict?.worst),
      verdict?.judgedAt,
      line.size,
    ],
  },
  repositories: {
    about: 'Every repository with its tags.',
    columns: ['Name', 'Created', 'Manifests', 'Tags'],
    row: ({ name, createdAt, manifests, tags }) => [
      name,
      createdAt,
      manifests,
      tags.map((tag) => `${tag.name} (${tag.digest.slice(0, 19)}, ${tag.updatedAt})`).join(', '),
    ],
  },
  clusters: {
    about: 'The newest audit of each cluster.',
    columns: ['Cluster', 'Begun', 'Finished', 'Objects', 'Violations', 'Could not be read'],
    row: ({ cluster, startedAt, finishedAt, objects, violations, incomplete }) => [
      cluster,
      startedAt,
      finishedAt,
      objects,
      violations,
      incomplete.map(({ kind, reason }) => `${kind}: ${reason}`).join('; '),
    ],
  },
  runningImages: {
    about: 'Images that run, or were seen running since the period began.',
    columns: [
      'Cluster',
      'Object',
      'Container',
      'Image',
      'Digest',
      'Runs now',
      'Trusted by',
      'Verdict',
      'First seen',
      'Last seen',
    ],
    row: ({
      cluster,
      namespace,
      kind,
      name,
      container,
      image,
      digest,
      current,
      trusted,
      trustedBy,
      verdict,
      ...line
    }) => [
      cluster,
      `${namespace}/${kind}/${name}`,
      container,
      image,
      digest === undefined ? '' : code(digest),
      yes(current),
      trusted ? trustedBy : html`<strong class="block">not trusted</strong>`,
      verdict ? html`${mark(verdict.kind)} as ${verdict.repository}, ${verdict.judgedAt}` : 'not stored here',
      line.firstSeen,
      line.lastSeen,
    ],
  },
  violations: {
    about: 'Running objects that broke a constraint when the cluster was last audited.',
    columns: ['Cluster', 'Constraint', 'Action', 'Object', 'Message'],
    row: ({ cluster, constraint, action, group, version, kind, namespace, name, message }) => [
      cluster,
      constraint,
      action,
      `${[group, version].filter(Boolean).join('/')} ${kind} ${namespace}/${name}`,
      message,
    ],
  },
  exceptions: {
    about: 'Exceptions that were asked for, decided or in force at any time of the period.',
    columns: [
      'Project',
      'About',
      'Kind',
      'Limited to',
      'Reason',
      'Owner',
      'Ticket',
      'State',
      'In force',
      'Asked for',
      'Valid',
      'Decisions',
    ],
    row: (line) => [
      line.project,
      line.vulnerability ?? line.rule,
      [line.kind, line.justification, line.fixDays === undefined ? undefined : `ends ${line.fixDays} days after a fix`]
        .filter(Boolean)
        .join(', '),
      [
        line.packageType,
        line.package,
        line.version ?? line.versions,
        line.repository,
        line.digest,
        line.platform,
        line.renews === undefined ? undefined : `continues ${line.renews}`,
      ]
        .filter(Boolean)
        .join(' '),
      line.reason,
      line.owner,
      line.ticket,
      line.singleHanded ? `${line.state}, by one person alone` : line.state,
      yes(line.inForce),
      `${line.requestedAt} by ${line.requestedBy}`,
      `${line.validFrom ?? 'not yet'} until ${line.until}`,
      decided(line.decisions),
    ],
  },
  trustedSources: {
    about: 'What may be run in clusters, with the risk analysis behind it.',
    columns: [
      'Entry',
      'Scope',
      'State',
      'Criteria',
      'Findings',
      'Owner',
      'Proposed',
      'Review due',
      'Doubts',
      'Decisions',
    ],
    row: (line) => [
      line.entry,
      line.scope,
      line.state === 'review due' ? html`<strong class="warn">${line.state}</strong>` : line.state,
      line.criteria,
      line.findings,
      line.owner,
      `${line.proposedAt} by ${line.proposedBy}`,
      line.retiredAt === undefined ? line.reviewDue : `retired ${line.retiredAt}`,
      line.problems.join(' '),
      decided(line.decisions),
    ],
  },
  verdictChanges: {
    about: 'How verdicts changed in the period, and why. Long lists of reasons show the worst.',
    columns: ['When', 'Repository', 'Digest', 'From', 'To', 'Cause', 'New reasons', 'Reasons gone'],
    row: ({ at, repository, digest, previous, kind, cause, added, removed }) => [
      at,
      repository,
      code(digest),
      previous === undefined ? 'first verdict' : mark(previous),
      mark(kind),
      cause,
      reasons(added),
      reasons(removed),
    ],
  },
  advisorySources: {
    about: 'Where the facts about vulnerabilities come from, in the database in use.',
    columns: ['Ecosystem', 'Feed', 'Completeness', 'Records', 'Newest record', 'Note'],
    row: ({ ecosystem, feed, completeness, records, newest, note }) => [
      ecosystem,
      feed,
      completeness,
      records,
      newest,
      note,
    ],
  },
  advisoryVersions: {
    about: 'Advisory databases that judged in the period.',
    columns: ['Version', 'Built', 'Imported', 'By', 'Sources'],
    row: ({ version, builtAt, importedAt, importedBy, sources }) => [
      code(version),
      builtAt,
      importedAt,
      importedBy,
      sources.length,
    ],
  },
  policies: {
    about: 'The policy that counts for the installation and for each project at the time of export.',
    columns: ['Owner', 'Version', 'Comes from', 'Policy'],
    row: ({ owner, version, origin, policy }) => [owner, version, origin, code(JSON.stringify(policy))],
  },
  policyVersions: {
    about: 'Policies made in the period.',
    columns: ['Owner', 'Version', 'Made', 'Reason', 'Policy'],
    row: ({ owner, version, author, createdAt, reason, policy }) => [
      owner,
      version,
      `${createdAt} by ${author}`,
      reason,
      policy === undefined ? 'back to the default' : code(JSON.stringify(policy)),
    ],
  },
  projects: {
    about: 'Projects and their members.',
    columns: ['Name', 'Public', 'Created', 'Mirrors', 'Members'],
    row: ({ name, createdBy, createdAt, upstream, members, ...line }) => [
      name,
      yes(line.public),
      `${createdAt} by ${createdBy}`,
      upstream?.url,
      members.map(({ user, role }) => `${user}: ${role}`).join(', '),
    ],
  },
  users: {
    about: 'Accounts and their roles.',
    columns: ['Name', 'Administrator', 'Disabled', 'Created', 'Roles'],
    row: ({ name, administrator, disabled, createdAt, roles }) => [
      name,
      yes(administrator),
      yes(disabled),
      createdAt,
      roles.map(({ project, role }) => `${project}: ${role}`).join(', '),
    ],
  },
  ledger: {
    about: 'The audit log of the period. Each line holds the hash of the line before it.',
    columns: ['Line', 'Time', 'Who', 'What', 'On', 'Details', 'Hash'],
    row: ({ seq, time, actor, action, target, details, hash }) => [
      seq,
      time,
      actor,
      action,
      target,
      code(JSON.stringify(details)),
      code(hash),
    ],
  },
};

function mark(kind: Kind): Html {
  return html`<strong class="${kind}">${kind}</strong>`;
}

function code(text: string): Html {
  return html`<code>${text}</code>`;
}

function yes(value: boolean): string {
  return value ? 'yes' : 'no';
}

function findings({ total, fixable, suppressed, bySeverity }: Line<'verdictChanges'>['counts']): string {
  const severities = Object.entries(bySeverity)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  return [`${total} (${fixable} fixable, ${suppressed} set aside)`, ...severities].join(', ');
}

function reason(one: ReasonLine | undefined): string | undefined {
  return (
    one && (one.exception ? `${one.message} (exception ${one.exception.id} until ${one.exception.until})` : one.message)
  );
}

function reasons({ total, worst }: Line<'verdictChanges'>['added']): Html {
  const more = total - worst.length;
  return html`${worst.map((one) => html`<p>${reason(one)}</p>`)}${more > 0 ? html`<p>and ${more} more</p>` : undefined}`;
}

function decided(decisions: readonly Decision[]): Html {
  return html`${decisions.map(
    ({ action, by, at, reason, ledgerLine }) =>
      html`<p>${at} ${action} by ${by}${reason === undefined ? '' : `: ${reason}`} (line ${ledgerLine})</p>`,
  )}`;
}
