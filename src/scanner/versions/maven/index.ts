import { ordering } from '../ordering.ts';
import { compareItems } from './order.ts';
import { parseMaven } from './parse.ts';

/**
 * Order of two Maven versions as `ComparableVersion` of maven-artifact 4 has it (POM reference, "Version Order Specification"):
 * alpha < beta < milestone < rc = cr < snapshot < release = ga = final < sp < any other word < numbers, and numbers after a
 * hyphen before numbers after a dot. Almost everything is a version there; undefined only for an empty text and for other
 * than visible ASCII.
 */
export const compareMaven = ordering(parseMaven, compareItems);
