import { isUtf8 } from 'node:buffer';
import { CodedError, messageOf } from '../platform/errors.ts';
import { isRecord } from '../platform/json-object.ts';
import { countMembers, repeatedKey, shapeOf, uidIn } from './json-shape.ts';

export class ReviewError extends CodedError<'review_invalid'> {
  /** Of the request, when it could be read: then the answer can be an AdmissionReview. */
  readonly uid: string | undefined;

  constructor(message: string, uid: string | undefined) {
    super('review_invalid', message);
    this.uid = uid;
  }
}

export type ReviewVersion = 'admission.k8s.io/v1' | 'admission.k8s.io/v1beta1';
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** Who asks the API server. */
export interface Requester {
  readonly username: string;
  readonly groups: readonly string[];
}

/** What an AdmissionReview asks. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly operation: Operation;
  /** Empty or absent for cluster-scoped objects. */
  readonly namespace?: string;
  /** Empty while the API server has not made it up from `generateName`. */
  readonly name?: string;
  /** `ephemeralcontainers`, `status`, …; absent for the object itself. */
  readonly subResource?: string;
  readonly userInfo?: Requester;
  /** Nothing will be stored. */
  readonly dryRun?: boolean;
  readonly object?: Readonly<Record<string, unknown>> | null;
  readonly oldObject?: Readonly<Record<string, unknown>> | null;
  /** Version of the review, in which it is answered; v1 when absent. */
  readonly reviewVersion?: ReviewVersion;
}

/** An UPDATE carries the object twice, and etcd takes up to 1.5 MB of it; the API server itself reads 3 MB. */
export const LARGEST_REVIEW = 8 * 1024 * 1024;
/** The API server's own objects are a dozen levels deep; schema-less custom ones some dozens. */
const MOST_LEVELS = 1000;
/** 10,000 containers with ten fields each, old and new. */
const MOST_MEMBERS = 250_000;
const LONGEST_UID = 256;
const LONGEST_NAME = 512;
const VERSIONS: readonly ReviewVersion[] = ['admission.k8s.io/v1', 'admission.k8s.io/v1beta1'];
const OPERATIONS: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the bytes of an AdmissionReview (v1 or v1beta1). Throws `ReviewError`, with the uid of the request when that much
 * could be read, for anything else: no UTF-8, no JSON, a key twice in one object (readers differ on which one counts),
 * nesting beyond 1,000 levels, more than 250,000 fields or elements of lists, or a field of the request that has the wrong type.
 */
export function parseReview(body: Buffer | string): AdmissionRequest {
  if (body.length > LARGEST_REVIEW)
    throw new ReviewError(`the review is larger than ${LARGEST_REVIEW} bytes`, undefined);
  if (typeof body !== 'string' && !isUtf8(body)) throw new ReviewError('the body is not UTF-8', undefined);
  const text = typeof body === 'string' ? body : body.toString('utf8');
  const shape = shapeOf(text, MOST_LEVELS);
  // Before parsing: whatever walks the object later may recurse.
  if (shape.depth > MOST_LEVELS) {
    throw new ReviewError(`the review is nested more than ${MOST_LEVELS} levels deep`, uidOf(uidIn(text)));
  }
  if (shape.members > MOST_MEMBERS) {
    throw new ReviewError(`the review has ${shape.members} fields; ${MOST_MEMBERS} are read`, uidOf(uidIn(text)));
  }
  // Elements of lists cost memory as fields do.
  if (shape.commas > MOST_MEMBERS) {
    throw new ReviewError(
      `the review has ${shape.commas} fields and elements of lists; ${MOST_MEMBERS} are read`,
      uidOf(uidIn(text)),
    );
  }
  const review = parseJson(text);
  const request = isRecord(review) ? review['request'] : undefined;
  const uid = isRecord(request) ? uidOf(request['uid']) : undefined;
  if (countMembers(review) !== shape.members) {
    const found = repeatedKey(text);
    const where = found === undefined || found.path === '' ? '' : ` in ${shown(found.path)}`;
    throw new ReviewError(`the key ${shown(found?.key ?? '')} stands twice${where}: which one counts is unclear`, uid);
  }
  return requestOf(review, uid);
}

/** Version and kind of the review and the fields of its request that decisions depend on. */
function requestOf(review: unknown, uid: string | undefined): AdmissionRequest {
  const fail = (path: string, expected: string): never => {
    throw new ReviewError(`not an AdmissionReview of admission.k8s.io/v1: ${path}: expected ${expected}`, uid);
  };
  if (!isRecord(review)) return fail('body', 'an object');
  const reviewVersion = VERSIONS.find((version) => version === review['apiVersion']);
  if (reviewVersion === undefined) return fail('apiVersion', VERSIONS.join(' or '));
  if (review['kind'] !== 'AdmissionReview') return fail('kind', 'AdmissionReview');
  const request = review['request'];
  if (!isRecord(request)) return fail('request', 'an object');
  if (uid === undefined) return fail('request.uid', `a text of 1 to ${LONGEST_UID} characters`);
  const operation = OPERATIONS.find((one) => one === request['operation']);
  if (operation === undefined) return fail('request.operation', OPERATIONS.join(', '));

  const text = (field: string): string => {
    const value = request[field] ?? '';
    return typeof value === 'string' && value.length <= LONGEST_NAME
      ? value
      : fail(`request.${field}`, `a text of at most ${LONGEST_NAME} characters`);
  };
  const object = (field: string): Fields | null => {
    const value = request[field] ?? null;
    return value === null || isRecord(value) ? value : fail(`request.${field}`, 'an object');
  };
  const dryRun = request['dryRun'] ?? false;
  if (typeof dryRun !== 'boolean') return fail('request.dryRun', 'true or false');
  return {
    uid,
    operation,
    namespace: text('namespace'),
    name: text('name'),
    subResource: text('subResource'),
    userInfo: requesterOf(request['userInfo'] ?? {}, fail),
    dryRun,
    object: object('object'),
    oldObject: object('oldObject'),
    reviewVersion,
  };
}

function requesterOf(value: unknown, fail: (path: string, expected: string) => never): Requester {
  if (!isRecord(value)) return fail('request.userInfo', 'an object');
  const username = value['username'] ?? '';
  if (typeof username !== 'string') return fail('request.userInfo.username', 'a text');
  const groups: unknown = value['groups'] ?? [];
  if (!Array.isArray(groups) || !groups.every((group) => typeof group === 'string')) {
    return fail('request.userInfo.groups', 'a list of texts');
  }
  return { username, groups };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ReviewError(`the body is not JSON: ${messageOf(error)}`, uidOf(uidIn(text)));
  }
}

function uidOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_UID ? value : undefined;
}

function shown(text: string): string {
  return JSON.stringify(text.length <= 120 ? text : `${text.slice(0, 117)}...`);
}
