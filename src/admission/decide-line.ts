import type { EvaluatedLine } from '../constraints/evaluate.ts';
import { glassWarning } from './break-glass.ts';
import { denies } from './denies.ts';
import type { AdmissionAction } from './recorder.ts';
import { restartWarning } from './restart.ts';
import type { Situation } from './situation.ts';

/** One line and what becomes of it. */
export interface DecidedLine {
  readonly line: EvaluatedLine;
  readonly taken: AdmissionAction;
  /** What a denial or warning says behind the name of the constraint. */
  readonly text: string;
}

/**
 * What one line means for this request: the constraint's own action, unless the denial would stop what runs. Empty where
 * there is nothing to say. Nothing overrides a quarantine. `breakwater/compat: gatekeeper` leaves no exceptions: everything is as Gatekeeper does it.
 */
export function decideLine(situation: Situation, line: EvaluatedLine): DecidedLine[] {
  const { constraint, message } = line;
  const { compat } = constraint.options;
  if ((!compat || line.quarantined) && situation.leaving()) return [];
  const as = (taken: AdmissionAction, text = message): DecidedLine => ({ line, taken, text });
  if (line.quarantined) return [as(takenAgainstQuarantined(situation, line))];
  if (line.action === 'dryrun') return [as('dryrun')];
  if (!denies(line)) return [as('warned')];
  if (constraint.options.updates === 'new-images' && !situation.brings(line.image)) return [as('warned')];
  if (!compat) {
    if (situation.mirrorPod()) return [as('mirror-pod')];
    const { broken } = situation.glass();
    if (broken?.covers(line.image) && !(line.excess && broken.root !== undefined))
      return [as('break-glass', glassWarning(message, broken))];
  }
  // One image stands for all of them there: that it ran before says nothing about the others.
  if (line.excess) return [as('denied')];
  const restart = situation.restart(line);
  if (restart) return [as('restart-grace', restartWarning(message, restart))];
  // A scoped constraint may deny and warn at one point; Gatekeeper then says it twice.
  return compat && line.actions.includes('warn') ? [as('denied'), as('warned')] : [as('denied')];
}

/**
 * Whatever the constraint does about other lines. But who names the image already must be able to change the rest: to scale it to zero.
 * And a pod that a node runs already is only hidden by a denial.
 */
function takenAgainstQuarantined(situation: Situation, line: EvaluatedLine): AdmissionAction {
  if (!situation.brings(line.image)) return 'warned';
  return situation.mirrorPod() ? 'mirror-pod' : 'denied';
}

const TAKEN_ORDER: readonly AdmissionAction[] = [
  'denied',
  'break-glass',
  'restart-grace',
  'mirror-pod',
  'warned',
  'dryrun',
];
const KIND_ORDER: readonly EvaluatedLine['kind'][] = ['untrusted', 'blocked', 'unknown', 'warned'];

/** Sorts the worst first: what is under quarantine, then what would have been denied, then by what is wrong. */
export function byBadness(a: DecidedLine, b: DecidedLine): number {
  return (
    Number(b.line.quarantined ?? false) - Number(a.line.quarantined ?? false) ||
    TAKEN_ORDER.indexOf(a.taken) - TAKEN_ORDER.indexOf(b.taken) ||
    KIND_ORDER.indexOf(a.line.kind) - KIND_ORDER.indexOf(b.line.kind)
  );
}
