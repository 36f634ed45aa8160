import { actorOf } from '../../auth/principal.ts';
import { projectOf } from '../../model/project-name.ts';
import { isTag } from '../../oci/reference.ts';
import { explain } from '../../policy/explain.ts';
import { sbomDocument } from '../../scanner/sbom-write/index.ts';
import type { VerdictChange } from '../../verdicts/history.ts';
import * as contract from '../contract/verdicts.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';
import { locateImage } from '../locate-image.ts';

export function verdictRoutes({ db, verdicts, clock, version, ledger }: ApiDeps): BoundEndpoint[] {
  const locate = (image: string) => locateImage(db, image);

  return [
    on(contract.getVerdict, async ({ query }) => {
      const { repository, digest, reference } = await locate(query.image);
      const verdict = await verdicts.verdictFor(repository, digest, isTag(reference) ? reference : undefined);
      if (!verdict) throw new ApiError('not_found', `${query.image} has not been judged yet; try again in a moment`);
      const evaluation = await verdicts.findingsOf(digest, repository);
      return {
        image: query.image,
        repository,
        digest,
        kind: verdict.kind,
        summary: explain(verdict),
        judgedAt: time(verdict.judgedAt),
        ...(verdict.changesAt === undefined ? {} : { changesAt: time(verdict.changesAt) }),
        verdict,
        findings: [...(evaluation?.findings ?? [])],
        ...(evaluation ? { coverage: evaluation.coverage } : {}),
      };
    }),
    on(contract.rescan, async ({ by, body }) => {
      const found = 'image' in body ? await locate(body.image) : undefined;
      // Before anything is done: what cannot be put on record is not done.
      await ledger.record({
        actor: actorOf(by),
        action: 'analysis.repeat',
        target: found ? `${found.repository}@${found.digest}` : 'installation',
        ...(found ? { project: projectOf(found.repository) } : {}),
        details: body,
      });
      return { images: await verdicts.rescan(found ? { digest: found.digest } : 'failed') };
    }),
    on(contract.getSbom, async ({ query: { image, form } }) => {
      const { repository, digest } = await locate(image);
      const inventory = await verdicts.inventoryOf(digest);
      if (!inventory)
        throw new ApiError(
          'not_found',
          `${image} has no list of packages: it is still analysed, an index for several platforms, or nothing that runs`,
        );
      const subject = { kind: 'image', name: `${repository}@${digest}`, digest } as const;
      return sbomDocument(form, { subject, inventory, version, now: clock.now() }) as Record<string, unknown>;
    }),
    on(contract.verdictHistory, async ({ query }) => {
      const { repository, digest } = await locate(query.image);
      const before = query.after === undefined ? undefined : Number(query.after);
      if (before !== undefined && !Number.isSafeInteger(before))
        throw new ApiError('request_invalid', 'after: not what a page before gave');
      const changes = await verdicts.history({
        repository,
        digest,
        limit: query.limit,
        ...(before === undefined ? {} : { before }),
      });
      const next = changes.length === query.limit ? changes.at(-1)?.id : undefined;
      return {
        items: changes.map(({ id, at, added, removed, ...change }) => ({
          id: String(id),
          at: time(at),
          repository: change.repository,
          digest: change.digest,
          ...(change.previous ? { previous: change.previous } : {}),
          kind: change.kind,
          cause: change.cause,
          ...(change.causeDetail ? { causeDetail: causesOf(change.causeDetail) } : {}),
          added: [...added],
          removed: [...removed],
        })),
        ...(next === undefined ? {} : { next: String(next) }),
      };
    }),
  ];
}

function causesOf({ moments, ...detail }: NonNullable<VerdictChange['causeDetail']>) {
  const same = structuredClone(detail) as Omit<NonNullable<contract.VerdictChange['causeDetail']>, 'moments'>;
  return { ...same, ...(moments ? { moments: moments.map(time) } : {}) };
}
