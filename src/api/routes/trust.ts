import type { Principal } from '../../auth/principal.ts';
import { readRunningImages } from '../../cluster/running.ts';
import { counted } from '../../platform/counted.ts';
import { TrustError } from '../../trust/errors.ts';
import { losesTrust } from '../../trust/losses.ts';
import { measure } from '../../trust/measure.ts';
import { describeMeasured, type Measured } from '../../trust/measured.ts';
import { readEntry } from '../../trust/source-store.ts';
import { storedFrom } from '../../trust/stored-from.ts';
import type { TrustedSource } from '../../trust/trusted-source.ts';
import * as contract from '../contract/trust.ts';
import type { ApiDeps } from '../deps.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

export function trustRoutes(deps: ApiDeps): BoundEndpoint[] {
  const { trust, clock } = deps;

  async function measureEntry(by: Principal, text: string): Promise<Measured> {
    const projects = await deps.access.heldIn(by, 'verdict:read');
    const running = await readRunningImages(deps.db, clock.now());
    const references = running.references.map(({ reference }) => reference);
    return measure({ db: deps.db, now: clock.now(), projects, ...deps.origins }, readEntry(text), references);
  }

  return [
    on(contract.proposeSource, async ({ by, body }) => {
      const measured = await measureEntry(by, body.entry);
      const findings = body.findings ?? describeMeasured(measured);
      return view(await trust.propose(by, { ...body, findings, measured, reviewDue: Date.parse(body.reviewDue) }));
    }),
    on(contract.measureSource, async ({ by, query }) => viewMeasured(await measureEntry(by, query.entry))),
    on(contract.listSources, async () => ({ items: (await trust.list()).map(view) })),
    on(contract.approveSource, async ({ by, params, body }) => view(await trust.approve(by, params.id, body.reason))),
    on(contract.reviewSource, async ({ by, params, body }) => {
      const { entry } = await trust.get(params.id);
      const measured = await measureEntry(by, entry);
      return view(
        await trust.review(by, params.id, {
          reason: body.reason,
          findings: body.findings ?? describeMeasured(measured),
          measured,
          reviewDue: Date.parse(body.reviewDue),
        }),
      );
    }),
    on(contract.retireSource, async ({ by, params, body }) => {
      if (!body.evenInUse) await refuseInUse(deps, params.id);
      return view(await trust.retire(by, params.id, body.reason));
    }),
  ];
}

/** Throws `TrustError('source_in_use')` with what would lose trust, from what audits saw running and what is stored. */
async function refuseInUse({ db, clock, trust, origins }: ApiDeps, id: string): Promise<void> {
  const { entry, state } = await trust.get(id);
  if (state !== 'approved' && state !== 'review due') return;
  const approved = (await trust.approvedEntries()).map((one) => one.entry);
  const loses = losesTrust(approved, new Set([entry]));
  const { references } = await readRunningImages(db, clock.now());
  const running = references.filter(({ reference }) => loses(reference));
  const stored = (await storedFrom({ db, projects: 'all', ...origins }, readEntry(entry))).length;
  if (running.length + stored === 0) return;
  const shown = running.slice(0, 5).map(({ reference, place }) => `${reference.original} (${place})`);
  const more = running.length > shown.length ? `; and ${running.length - shown.length} more` : '';
  const named = shown.length === 0 ? '' : `: ${shown.join('; ')}${more}`;
  const [run, lie] = [counted(running.length, 'running image'), counted(stored, 'stored image')];
  throw new TrustError(
    'source_in_use',
    `without ${entry} ${run} would not be trusted any more${named}; ${lie} came from it. ` +
      `Look at "breakwater simulate --retire ${entry}", then say that they may: --yes, or "evenInUse": true`,
  );
}

function view(source: TrustedSource): contract.TrustedSource {
  const { reviewDue, proposedAt, decidedAt, retiredAt, problems, measured, ...same } = source;
  return {
    ...same,
    reviewDue: time(reviewDue),
    proposedAt: time(proposedAt),
    ...(decidedAt === undefined ? {} : { decidedAt: time(decidedAt) }),
    ...(retiredAt === undefined ? {} : { retiredAt: time(retiredAt) }),
    ...(measured === undefined ? {} : { measured: viewMeasured(measured) }),
    problems: problems.map(({ kind, message, safer }) => ({
      kind,
      message,
      ...(safer === undefined ? {} : { safer }),
    })),
  };
}

function viewMeasured(measured: Measured): contract.Measured {
  const { at, newestAt, ...same } = measured;
  return {
    ...same,
    at: time(at),
    ...(newestAt === undefined ? {} : { newestAt: time(newestAt) }),
    text: describeMeasured(measured),
  };
}
