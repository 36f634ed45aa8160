import type { Part } from '../../advice/advice.ts';
import type { AdvisedImage } from '../../advice/advisor.ts';
import { requestCommands } from '../../advice/request-command.ts';
import { ExceptionError } from '../../exceptions/errors.ts';
import type { ExceptionRecord } from '../../exceptions/exception.ts';
import { EVERYWHERE, type Place } from '../../exceptions/exception-rows.ts';
import { projectOf } from '../../model/project-name.ts';
import type { Reason, Verdict } from '../../model/verdict.ts';
import { isTag } from '../../oci/reference.ts';
import { defined } from '../../platform/defined.ts';
import { countingReasons, explain } from '../../policy/explain.ts';
import { isAboutReference } from '../../policy/explanation.ts';
import { fieldOf } from '../../policy/policy-fields.ts';
import { fieldsBehind } from '../../policy/rule-fields.ts';
import { findSubject, type Subject } from '../../verdicts/subjects.ts';
import * as contract from '../contract/why.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';
import { locateImage } from '../locate-image.ts';

/** Reasons that are shown; the verdict has them all. */
const MOST_WORST = 10;
const MOST_DEADLINES = 50;
const MOST_EXCEPTIONS = 100;

export function whyRoutes(deps: ApiDeps): BoundEndpoint[] {
  const { db, access, advisor, verdicts } = deps;
  return [
    on(contract.explainImage, async ({ by, query: { image } }) => {
      const { repository, repositoryId, digest, reference } = await locateImage(db, image);
      const verdict = await verdicts.verdictFor(repository, digest, isTag(reference) ? reference : undefined);
      const subject = verdict && (await findSubject(db, repositoryId, digest));
      if (!subject) throw new ApiError('not_found', `${image} has not been judged yet; try again in a moment`);
      const readable = await access.heldIn(by, 'verdict:read');
      const mayRead = (project: string): boolean => readable === 'all' || readable.has(project);
      const advised = await advisor.adviseOn(subject, mayRead);
      const counting = countingReasons(verdict);
      const ruling = [...counting, ...verdict.reasons.filter(({ suppressedBy, vex }) => suppressedBy ?? vex)];
      // What no change of the image takes away.
      const byReference = verdict.reasons
        .filter((reason) => reason.kind === 'block' && isAboutReference(reason))
        .map(({ message }) => message);
      return {
        image,
        repository,
        digest,
        kind: verdict.kind,
        sentence: explain(verdict),
        judgedAt: time(verdict.judgedAt),
        ...(verdict.changesAt === undefined ? {} : { changesAt: time(verdict.changesAt) }),
        ...(verdict.contact ? { contact: verdict.contact } : {}),
        worst: counting.slice(0, MOST_WORST).map(asLine),
        counting: counting.length,
        policy: await policyBehind(deps, subject, ruling),
        deadlines: deadlinesOf(verdict).slice(0, MOST_DEADLINES),
        exceptions: await exceptionsOf(deps, subject, verdict),
        vex: vexOf(advised),
        images: advised.map((one) => ({
          digest: one.subject.digest,
          ...(one.platform === undefined ? {} : { platform: one.platform }),
          plans: one.advice.plans.map(({ parts, after }) => ({
            parts: parts.map(asPart),
            after,
            requests: [...requestCommands(nameOf(one, image), parts)],
          })),
          obstacles: [...one.advice.obstacles, ...byReference],
        })),
      };
    }),
  ];
}

type Explained = contract.ExplainedImage;

/** Of an image in an index its own name: only by digest can it be meant alone. */
function nameOf({ platform, subject }: AdvisedImage, image: string): string {
  return platform === undefined ? image : `${subject.repository}@${subject.digest}`;
}

function asLine(reason: Reason): Explained['worst'][number] {
  const { rule, kind, severity, severitySource, vulnerability, package: name, installed, fixed, kev, message } = reason;
  const { firstSeen, deadline } = reason;
  const given = { severitySource, vulnerability, package: name, installed, fixed, kev };
  return {
    rule,
    kind,
    severity,
    ...defined(given),
    ...(firstSeen === undefined ? {} : { firstSeen: time(firstSeen) }),
    ...(deadline === undefined ? {} : { deadline: time(deadline) }),
    message,
  };
}

function asPart(part: Part): Explained['images'][number]['plans'][number]['parts'][number] {
  switch (part.kind) {
    case 'upgrade':
      return {
        ...part,
        packages: [...part.packages],
        vulnerabilities: [...part.vulnerabilities],
        places: part.places.map((place) => ({ ...place })),
      };
    case 'base':
      return { ...part, vulnerabilities: [...part.vulnerabilities] };
    case 'exception':
      return { ...part };
  }
}

async function policyBehind(
  { policies }: ApiDeps,
  { projectId, repository }: Subject,
  reasons: readonly Reason[],
): Promise<Explained['policy']> {
  const { policy, version, origins } = await policies.effectivePolicy(projectId);
  const fields = fieldsBehind(reasons.map(({ rule }) => rule));
  const madeBy = new Set(fields.map((field) => ownerOf(origins[field])));
  const histories = {
    project: madeBy.has('project') ? await policies.history({ id: projectId, name: projectOf(repository) }) : [],
    installation: madeBy.has('installation') ? await policies.history('installation') : [],
  };
  const rules = fields.map((field): Explained['policy']['rules'][number] => {
    const origin = origins[field] ?? 'built-in';
    const owner = ownerOf(origin);
    const history = owner === undefined ? [] : histories[owner];
    const made = history.find(
      ({ state, changes }) =>
        state !== 'coming' && state !== 'replaced' && changes.some((change) => change.field === field),
    );
    return {
      field,
      value: fieldOf(policy, field),
      origin,
      ...(made && {
        set: { version: made.version, author: made.author, reason: made.reason, at: time(made.createdAt) },
      }),
    };
  });
  // Days of grace that nobody gave say nothing.
  return { version, rules: rules.filter(({ field, value }) => !(field.startsWith('graceDays.') && value === 0)) };
}

/** Whose versions tell who set a value. */
function ownerOf(origin = 'built-in'): 'project' | 'installation' | undefined {
  if (origin === 'built-in') return undefined;
  return origin === 'project' ? 'project' : 'installation';
}

interface Deadline {
  readonly at: number;
  readonly vulnerability: string;
  readonly name: string;
  /** The exception that ends. */
  readonly exception?: string;
}

function deadlinesOf({ reasons, judgedAt }: Verdict): Explained['deadlines'] {
  const dates = reasons.flatMap(({ kind, vulnerability, package: name, deadline, suppressedBy }): Deadline[] => {
    if (vulnerability === undefined || name === undefined) return [];
    if (suppressedBy) return [{ at: suppressedBy.until, vulnerability, name, exception: suppressedBy.exception }];
    const isAhead = kind === 'warn' && deadline !== undefined && deadline > judgedAt;
    return isAhead ? [{ at: deadline, vulnerability, name }] : [];
  });
  const different = new Map(dates.map((date) => [JSON.stringify(date), date]));
  return [...different.values()]
    .sort((a, b) => a.at - b.at)
    .map(({ at, vulnerability, name, exception }) => ({
      at: time(at),
      what: exception === undefined ? ('blocks' as const) : ('exception-ends' as const),
      vulnerability,
      package: name,
      ...(exception === undefined ? {} : { exception }),
    }));
}

async function exceptionsOf(
  deps: ApiDeps,
  { projectId, repository }: Subject,
  { reasons }: Verdict,
): Promise<Explained['exceptions']> {
  const inForce = new Map<string, { until: number; vulnerabilities: Set<string> }>();
  for (const { suppressedBy, vulnerability, rule } of reasons) {
    if (!suppressedBy) continue;
    const known = inForce.get(suppressedBy.exception) ?? { until: suppressedBy.until, vulnerabilities: new Set() };
    inForce.set(suppressedBy.exception, known);
    known.vulnerabilities.add(vulnerability ?? rule);
  }
  if (inForce.size === 0) return [];
  return Promise.all(
    [...inForce].slice(0, MOST_EXCEPTIONS).map(async ([id, { until, vulnerabilities }]) => {
      const record = await recordOf(deps, { id: projectId, name: projectOf(repository) }, id);
      return {
        id,
        until: time(until),
        vulnerabilities: [...vulnerabilities],
        ...(record ? { requestedBy: record.requestedBy, reason: record.reason } : {}),
        ...(record?.decidedBy === undefined ? {} : { decidedBy: record.decidedBy }),
      };
    }),
  );
}

/** Of the project, else of all projects; undefined when it is gone. */
async function recordOf({ exceptions }: ApiDeps, project: Place, id: string): Promise<ExceptionRecord | undefined> {
  for (const place of [project, EVERYWHERE])
    try {
      return await exceptions.get(place, id);
    } catch (error) {
      if (!(error instanceof ExceptionError) || error.code !== 'exception_unknown') throw error;
    }
  return undefined;
}

function vexOf(advised: readonly AdvisedImage[]): Explained['vex'] {
  const statements = advised.flatMap(({ input }) =>
    input.findings.flatMap(({ id, package: pkg, vex }) => {
      if (!vex) return [];
      const { status, justification, author, document } = vex;
      const why = justification === undefined ? {} : { justification };
      const counts = status === 'not_affected' || status === 'fixed';
      return [{ vulnerability: id, package: pkg.name, status, ...why, author, document, counts }];
    }),
  );
  return [...new Map(statements.map((one) => [JSON.stringify(one), one])).values()];
}
