import { canonicalJson } from '../oci/canonical.ts';

/**
 * How strict the values of one field are: a partial order, in which two values may also be neither. Where a stricter value stands
 * in a policy it never lets an image through that the looser one stops.
 */
export interface FieldOrder {
  /** True when `a` is as strict as `b` or stricter. */
  atLeast(a: unknown, b: unknown): boolean;
  /** The least strict value that is as strict as both; of two that cannot be compared the first. */
  strictest(a: unknown, b: unknown): unknown;
}

/** Values named from the loosest to the strictest. */
function scale(...loosestFirst: readonly unknown[]): FieldOrder {
  return ranked((value) => loosestFirst.indexOf(value));
}

function ranked(rank: (value: unknown) => number): FieldOrder {
  const atLeast: FieldOrder['atLeast'] = (a, b) => rank(a) >= rank(b);
  return { atLeast, strictest: (a, b) => (atLeast(a, b) ? a : b) };
}

const fewer = ranked((value) => -Number(value));
const more = ranked(Number);
/** A limit: the lower, the stricter; null is none. */
const limit = ranked((value) => (value === null ? Number.NEGATIVE_INFINITY : -Number(value)));
const flag = scale(false, true);
const action = scale('ignore', 'warn', 'block');
const threshold = scale('off', 'critical', 'high', 'medium', 'low', 'none');
const counting = scale('ignore', 'count');

/** Lists: one that holds all of another is stricter. */
const superset: FieldOrder = {
  atLeast: (a, b) => listOf(b).every((item) => listOf(a).includes(item)),
  strictest: (a, b) => [...new Set([...listOf(a), ...listOf(b)])],
};

/** Values of which none is stricter than another: nothing is known to be stopped by both. */
export const incomparable: FieldOrder = {
  atLeast: (a, b) => canonicalJson(a) === canonicalJson(b),
  strictest: (a) => a,
};

const bySeverity = <Order>(path: string, order: Order): Record<string, Order> =>
  Object.fromEntries(['low', 'medium', 'high', 'critical'].map((level) => [`${path}.${level}`, order]));

/** Every field of a policy by its path, with its order. The componentwise order of these is what "stricter" means for policies. */
export const FIELD_ORDERS: Readonly<Record<string, FieldOrder>> = {
  'block.fixable': threshold,
  'block.unfixable': threshold,
  'warn.fixable': threshold,
  'warn.unfixable': threshold,
  ...bySeverity('graceDays.fixable', fewer),
  ...bySeverity('graceDays.unfixable', fewer),
  'counting.willNotFix': counting,
  'counting.fixDeferred': counting,
  'counting.underInvestigation': counting,
  'counting.endOfLife': counting,
  'counting.unimportant': counting,
  'counting.kernelHeaders': counting,
  severitySources: incomparable,
  unknownSeverity: scale('none', 'low', 'medium', 'high', 'critical'),
  'kev.action': action,
  'kev.graceDays': fewer,
  'kev.overrules.exceptions': flag,
  'kev.overrules.vex': flag,
  'epss.threshold': limit,
  'epss.action': action,
  'epss.holdDays': more,
  unscanned: scale('ignore', 'warn', 'wait', 'block'),
  unscannable: action,
  endOfLife: action,
  advisorySample: action,
  'advisoryAge.days': limit,
  'advisoryAge.action': action,
  'disallowedTags.globs': superset,
  'disallowedTags.action': action,
  digestRequired: action,
  ...bySeverity('exceptions.mostDays', fewer),
  'exceptions.mostLifeDays': fewer,
  vexAuthors: incomparable,
  'contact.text': incomparable,
  'contact.link': incomparable,
  strictIndex: flag,
  gateBlobs: flag,
};

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
