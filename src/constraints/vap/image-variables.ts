import { REFERENCE_GRAMMAR } from '../../oci/reference.ts';
import { DEFAULT_PORT, DOCKER_HUB_SERVERS } from '../kinds/served-by.ts';
import { type CelVariable, celPattern } from './cel.ts';

/** What `podIn` finds, for an object of one of the kinds the policy is asked about. */
function podOf(object: string): string {
  return (
    `${object}.kind == "Pod" ? dyn(${object}) : ` +
    `${object}.kind == "PodTemplate" ? (has(dyn(${object}).template) ? dyn(${object}).template : dyn({})) : ` +
    `${object}.kind == "CronJob" ? dyn(${object}).spec.jobTemplate.spec.template : ` +
    `has(dyn(${object}).spec.template) ? dyn(${object}).spec.template : dyn({})`
  );
}

const LISTS = [
  ['containers', 'container'],
  ['initContainers', 'initContainer'],
  ['ephemeralContainers', 'ephemeralContainer'],
] as const;

/** The images of a pod specification with their places, in the order of `imagesIn`. */
function imagesOf(spec: string, volumes: boolean): string {
  const lists = LISTS.map(
    ([field, place]) =>
      `(has(${spec}.${field}) ? ${spec}.${field}.map(c, {"place": "${place}", "name": string(c.name), ` +
      `"image": has(c.image) ? string(c.image) : ""}) : [])`,
  );
  const volume =
    `(has(${spec}.volumes) ? ${spec}.volumes.filter(v, has(v.image) && has(v.image.reference)).map(v, ` +
    `{"place": "volume", "name": string(v.name), "image": string(v.image.reference)}) : [])`;
  return [...lists, ...(volumes ? [volume] : [])].join(' + ');
}

/**
 * `pod`, `spec` and `images` of the object, `before` with the image texts that the old object had. `volumes` are left out
 * under `compat`, as in Gatekeeper's library.
 */
export function imageVariables(volumes: boolean): CelVariable[] {
  const oldSpec = 'variables.oldSpec';
  return [
    { name: 'pod', expression: podOf('object') },
    { name: 'spec', expression: 'has(variables.pod.spec) ? variables.pod.spec : dyn({})' },
    { name: 'images', expression: `(${imagesOf('variables.spec', volumes)}).filter(i, i.image != "")` },
    { name: 'oldPod', expression: `oldObject == null ? dyn({}) : ${podOf('oldObject')}` },
    { name: 'oldSpec', expression: 'has(variables.oldPod.spec) ? variables.oldPod.spec : dyn({})' },
    { name: 'before', expression: `(${imagesOf(oldSpec, volumes)}).map(i, i.image)` },
  ];
}

const { repository: REPOSITORY, tag: TAG, host: HOST, imageId: IMAGE_ID, longestName, longestText } = REFERENCE_GRAMMAR;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/**
 * `refs`: every image with its parsed reference, as `parseReference` reads it: `full` = registry and repository,
 * normalised, `tag` and `digest` empty when there is none, `ok` empty when the text is no reference. CEL has no local
 * names, so each step is a variable of its own.
 */
export const REFERENCE_VARIABLES: readonly CelVariable[] = [
  step('atSigns', 'images', {
    named: 'i.image.contains("@") ? i.image.substring(0, i.image.indexOf("@")) : i.image',
    digest: 'i.image.contains("@") ? i.image.substring(i.image.indexOf("@") + 1) : ""',
    marks: 'i.image.contains("@") ? "@" : ""',
  }),
  step('lastParts', 'atSigns', {
    ...kept('digest'),
    named: 'i.named',
    marks: 'i.marks',
    last: 'i.named.substring(i.named.lastIndexOf("/") + 1)',
  }),
  step('tags', 'lastParts', {
    ...kept('digest'),
    path: 'i.last.contains(":") ? i.named.substring(0, size(i.named) - size(i.last) + i.last.indexOf(":")) : i.named',
    tag: 'i.last.contains(":") ? i.last.substring(i.last.indexOf(":") + 1) : ""',
    marks: 'i.marks + (i.last.contains(":") ? ":" : "")',
  }),
  step('firstParts', 'tags', {
    ...kept('digest', 'tag', 'marks', 'path'),
    first: 'i.path.contains("/") ? i.path.substring(0, i.path.indexOf("/")) : ""',
  }),
  step('hosts', 'firstParts', {
    ...kept('digest', 'tag', 'marks', 'path'),
    host: 'i.first == "localhost" || i.first.matches("[.:A-Z]") ? i.first : ""',
  }),
  step('registries', 'hosts', {
    ...kept('digest', 'tag', 'marks', 'path', 'host'),
    registry:
      'i.host == "" || i.host.lowerAscii() == "index.docker.io" ? "docker.io" : ' +
      'i.host.lowerAscii() == "localhost" || i.host.lowerAscii().matches("[.:]") ? i.host.lowerAscii() : i.host',
    rest: 'i.host == "" ? i.path : i.path.substring(i.path.indexOf("/") + 1)',
  }),
  step('names', 'registries', {
    ...kept('digest', 'tag', 'marks', 'path', 'host', 'registry'),
    repository: 'i.registry == "docker.io" && !i.rest.contains("/") ? "library/" + i.rest : i.rest',
  }),
  step('refs', 'names', {
    ...kept('digest', 'tag'),
    full: 'i.registry + "/" + i.repository',
    ok:
      `(i.host == "" ? !i.path.matches(${celPattern(IMAGE_ID)}) : i.host.matches(${celPattern(HOST)})) && ` +
      `i.repository.matches(${celPattern(REPOSITORY)}) && ` +
      `(!i.marks.contains(":") || i.tag.matches(${celPattern(TAG)})) && ` +
      `(!i.marks.contains("@") || i.digest.matches(${celPattern(DIGEST)})) && ` +
      `size(i.registry) + 1 + size(i.repository) <= ${longestName} && size(i.image) <= ${longestText} ? "ok" : ""`,
  }),
];

/** `sources`: every reference as `servedReference` has it, for lists of what is forbidden. */
export const SOURCE_VARIABLES: readonly CelVariable[] = [
  step('servers', 'refs', {
    ...kept('digest', 'tag', 'ok'),
    host: 'i.full.substring(0, i.full.indexOf("/"))',
    rest: 'i.full.substring(i.full.indexOf("/") + 1)',
  }),
  step('plainServers', 'servers', {
    ...kept('digest', 'tag', 'ok', 'rest'),
    host: `i.host.substring(0, size(i.host) - size(i.host.find(${celPattern(DEFAULT_PORT)})))`,
  }),
  step('hubServers', 'plainServers', {
    ...kept('digest', 'tag', 'ok', 'rest'),
    host: `i.host in ${JSON.stringify(DOCKER_HUB_SERVERS)} ? "docker.io" : i.host`,
  }),
  step('sources', 'hubServers', {
    ...kept('digest', 'tag', 'ok'),
    full: 'i.host + "/" + (i.host == "docker.io" && !i.rest.contains("/") ? "library/" : "") + i.rest',
  }),
];

/** A list made of another one, with some fields computed anew; place, name and image are always kept. */
function step(name: string, from: string, fields: Readonly<Record<string, string>>): CelVariable {
  const all = { ...kept('place', 'name', 'image'), ...fields };
  const literal = Object.entries(all).map(([field, expression]) => `"${field}": ${expression}`);
  return { name, expression: `variables.${from}.map(i, {${literal.join(', ')}})` };
}

function kept(...fields: readonly string[]): Record<string, string> {
  return Object.fromEntries(fields.map((field) => [field, `i.${field}`]));
}
