import { canonicalJson } from '../oci/canonical.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { layerDocument, looserThanLocked, type PolicyLayer, resolvePolicy } from '../policy/policy-layer.ts';
import { senseless } from '../policy/policy-sense.ts';
import { ProjectError } from './errors.ts';
import { carriedOver, editLayer, invalid, isSame, type PolicyEdit } from './policy-edit.ts';
import type { InForce } from './policy-rows.ts';

/** What a change puts in place. */
export interface Next {
  readonly layer: PolicyLayer;
  /** What it was made of. */
  readonly before: PolicyLayer;
  /** What still waits then for its moment (epoch ms), in the place of what waited. */
  readonly waits?: { readonly layer: PolicyLayer; readonly before: PolicyLayer; readonly from: number };
}

/** What an edit makes of what is in force and of what waits. */
export function edited({ current, coming }: InForce, edit: PolicyEdit, effectiveFrom: number | undefined): Next {
  if (effectiveFrom === undefined) {
    const layer = editLayer(current, edit);
    if (!coming) return { layer, before: current };
    const { layer: before, from } = coming;
    return { layer, before: current, waits: { layer: carriedOver(current, layer, before), before, from } };
  }
  if (coming && coming.from !== effectiveFrom)
    throw new ProjectError(
      'policy_waiting',
      `version ${coming.version} waits for ${toRfc3339(coming.from)}, and only one version can wait: give that moment to change what ` +
        `waits, leave the moment out to change what is in force, or move it first with "breakwater policy rollback --to ${coming.version} --effective-from"`,
    );
  const before = coming?.layer ?? current;
  return { layer: editLayer(before, edit), before };
}

/** True when what a change is to put in place is there already. */
export function isThere(
  { current, coming }: InForce,
  { layer, waits }: Next,
  effectiveFrom: number | undefined,
): boolean {
  if (effectiveFrom !== undefined) return coming?.from === effectiveFrom && isSameLayer(coming.layer, layer);
  return isSameLayer(current, layer) && (coming === undefined || waits !== undefined);
}

function isSameLayer(a: PolicyLayer, b: PolicyLayer): boolean {
  return canonicalJson(layerDocument(a)) === canonicalJson(layerDocument(b));
}

/** Throws `ProjectError('policy_invalid')` for what each field allows and the whole does not. */
export function checkNext({ layer, before, waits }: Next, installation: InForce | undefined): void {
  check(layer, before, installation);
  if (!waits) return;
  try {
    check(waits.layer, waits.before, installation);
  } catch (error) {
    if (!(error instanceof ProjectError)) throw error;
    throw new ProjectError(
      error.code,
      `with what waits for ${toRfc3339(waits.from)} ${error.message}; change what waits first, with --effective-from and that moment`,
      { cause: error },
    );
  }
}

/** Only what a change brings is held against it: what was there before is none of its doing, and the floor counts anyway. */
function check(layer: PolicyLayer, before: PolicyLayer, installation: InForce | undefined): void {
  if (installation && layer.locked.size > 0)
    throw invalid('locked: only the installation can lock fields; leave it out of a project');
  const above = [installation?.current, installation?.coming?.layer].filter((one) => one !== undefined);
  const touched = {
    ...layer,
    fields: new Map([...layer.fields].filter(([path, value]) => !isSame(value, before.fields.get(path)))),
  };
  const looser = [...new Set(above.flatMap((floor) => looserThanLocked(floor, touched)))];
  if (looser.length > 0) throw invalid(looser.join('; '));
  const resolved = (one: PolicyLayer) => (installation ? resolvePolicy(installation.current, one) : resolvePolicy(one));
  const known = senseless(resolved(before).policy);
  const odd = senseless(resolved(layer).policy).filter((problem) => !known.includes(problem));
  if (odd.length > 0) throw invalid(odd.join('; '));
}
