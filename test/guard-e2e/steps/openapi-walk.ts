import { imagesOf } from '../../../src/constraints/workload.ts';
import { check, heading, same } from '../check.ts';
import type { Json, Stage } from '../stage.ts';
import { simple } from '../workloads.ts';

/** What a path of the API takes: a kind, and how the webhook's rules name it. */
interface Taken {
  readonly apiVersion: string;
  readonly kind: string;
  /** `pods/ephemeralcontainers`. */
  readonly resource: string;
  readonly group: string;
  readonly schema: string;
}

interface Place extends Taken {
  /** `spec.containers[].image`. */
  readonly path: string;
}

/** Subresources that take a whole object and leave its images as they are; proven below. */
const KEEPS_IMAGES = new Set(['status', 'resize']);
/** A Ceph block device is called an image, too. */
const OTHER_IMAGES = /\.rbd\.image$/;
const DEEPEST = 40;

/** Reads what the live server serves and fails on a place for an image that we do not read or are not asked about. */
export async function openapiWalk(stage: Stage): Promise<void> {
  heading('Every place the live server has for an image');
  const places: Place[] = [];
  const index = JSON.parse((await stage.kubectl(['get', '--raw', '/openapi/v3'])).stdout) as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  for (const { serverRelativeURL } of Object.values(index.paths)) {
    const document = JSON.parse((await stage.kubectl(['get', '--raw', serverRelativeURL])).stdout) as Document;
    for (const taken of takenBy(document)) {
      for (const path of imagePaths(document, taken.schema)) places.push({ ...taken, path });
    }
  }
  await check('the walk saw the kinds that run pods', () => {
    const kinds = [...new Set(places.map(({ kind }) => kind))].sort();
    same(kinds, [
      'CronJob',
      'DaemonSet',
      'Deployment',
      'Job',
      'Pod',
      'PodTemplate',
      'ReplicaSet',
      'ReplicationController',
      'StatefulSet',
    ]);
  });
  const configuration = await stage.get(
    'validatingwebhookconfiguration',
    'breakwater-validating-webhook-configuration',
  );
  const rules = rulesIn(configuration);
  for (const place of places) {
    const { kind, path, resource, group } = place;
    if (KEEPS_IMAGES.has(resource.split('/')[1] ?? '')) continue;
    await check(`${resource} ${path}`, () => {
      same(
        imagesOf(objectWith(place)).map(({ image }) => image),
        ['marker'],
        `${kind} ${path} is not read`,
      );
      same(
        rules.some((rule) => rule.group === group && rule.resources.includes(resource)),
        true,
        `${resource} is not asked about`,
      );
    });
  }
  await keepsImages(stage, places);
}

async function keepsImages(stage: Stage, places: readonly Place[]): Promise<void> {
  const taking = [...new Set(places.map(({ resource }) => resource))].filter((one) =>
    KEEPS_IMAGES.has(one.split('/')[1] ?? ''),
  );
  await stage.constraints([]);
  for (const resource of taking) {
    await check(`no image enters through ${resource}`, async () => {
      const place = places.find((one) => one.resource === resource);
      const [plural = '', subresource = ''] = resource.split('/');
      const name = `kept-${plural}-${subresource}`;
      await stage.apply([simple((place?.kind ?? 'Pod') as 'Pod', name, 'harbor.cksc.a1ck.io/x:1')]);
      const object = JSON.stringify(await stage.get(plural, name)).replaceAll(
        'harbor.cksc.a1ck.io/x:1',
        'evil.example.com/x:1',
      );
      const root = place?.group ? `/apis/${place.apiVersion}` : '/api/v1';
      const put = await stage.kubectl(
        ['replace', '--raw', `${root}/namespaces/default/${plural}/${name}/${subresource}`, '-f', '-'],
        object,
      );
      same(put.code, 0, put.stderr);
      const after = imagesOf(await stage.get(plural, name));
      same(
        after.map(({ image }) => image),
        ['harbor.cksc.a1ck.io/x:1'],
      );
      await stage.kubectl(['delete', plural, name, '--wait=false']);
    });
  }
}

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components?: { readonly schemas?: Record<string, Schema> };
}
interface Operation {
  readonly requestBody?: { readonly content?: Record<string, { readonly schema?: Schema }> };
}
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
}

/** Kinds that requests bring, with the resource they bring them to. */
function takenBy(document: Document): Taken[] {
  const taken = new Map<string, Taken>();
  for (const [path, operations] of Object.entries(document.paths)) {
    const { group, resource } = resourceOf(path);
    if (resource === undefined) continue;
    for (const method of ['post', 'put']) {
      for (const { schema } of Object.values(operations[method]?.requestBody?.content ?? {})) {
        const name = refName(schema);
        const [kind] = document.components?.schemas?.[name]?.['x-kubernetes-group-version-kind'] ?? [];
        if (kind === undefined) continue;
        const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
        taken.set(`${resource} ${name}`, { apiVersion, kind: kind.kind, resource, group, schema: name });
      }
    }
  }
  return [...taken.values()];
}

/** `/apis/apps/v1/namespaces/{namespace}/deployments/{name}/status` → `apps`, `deployments/status`. */
function resourceOf(path: string): { group: string; resource: string | undefined } {
  const steps = path.split('/').filter(Boolean);
  const [root, group = '', ...rest] = steps;
  const after = root === 'apis' ? rest.slice(1) : root === 'api' ? steps.slice(2) : [];
  const at = after[0] === 'namespaces' && after[1] === '{namespace}' && after.length > 2 ? after.slice(2) : after;
  const named = at.filter((step) => !step.startsWith('{'));
  return { group: root === 'apis' ? group : '', resource: named.length === 0 ? undefined : named.join('/') };
}

/** Ways from a kind to a text called `image`, or to the `reference` of an image, that is not a report of what runs. */
function imagePaths(document: Document, schema: string): string[] {
  const found = new Set<string>();
  const walk = (at: Schema | undefined, path: string, above: readonly string[]): void => {
    if (at === undefined || above.length > DEEPEST || path.startsWith('status')) return;
    const name = refName(at);
    if (name !== '') {
      if (above.includes(name)) return;
      walk(document.components?.schemas?.[name], path, [...above, name]);
      return;
    }
    for (const part of [...(at.allOf ?? []), ...(at.oneOf ?? []), ...(at.anyOf ?? [])]) walk(part, path, above);
    for (const [key, property] of Object.entries(at.properties ?? {})) {
      const way = path === '' ? key : `${path}.${key}`;
      const isImage = key === 'image' || (key === 'reference' && path.endsWith('.image'));
      if (isImage && property.type === 'string' && !OTHER_IMAGES.test(way)) found.add(way);
      walk(property, way, above);
    }
    walk(at.items, `${path}[]`, above);
    if (typeof at.additionalProperties === 'object') walk(at.additionalProperties, `${path}{}`, above);
  };
  walk({ $ref: `#/components/schemas/${schema}` }, '', []);
  return [...found];
}

function refName(schema: Schema | undefined): string {
  const ref = schema?.$ref ?? schema?.allOf?.find((part) => part.$ref !== undefined)?.$ref;
  return ref?.split('/').at(-1) ?? '';
}

/** An object with the text `marker` in that place and nothing else. */
function objectWith({ apiVersion, kind, path }: Place): Json {
  const nested = path.split('.').reduceRight<unknown>((inner, step) => {
    const isList = step.endsWith('[]');
    return { [isList ? step.slice(0, -2) : step]: isList ? [inner] : inner };
  }, 'marker');
  return { apiVersion, kind, metadata: { name: 'walked' }, ...(nested as Json) };
}

function rulesIn(configuration: Json): { group: string; resources: string[] }[] {
  const webhooks = configuration['webhooks'] as {
    name: string;
    rules: { apiGroups: string[]; resources: string[] }[];
  }[];
  return webhooks
    .filter(({ name }) => name === 'validation.gatekeeper.sh')
    .flatMap(({ rules }) =>
      rules.flatMap(({ apiGroups, resources }) => apiGroups.map((group) => ({ group, resources }))),
    );
}
