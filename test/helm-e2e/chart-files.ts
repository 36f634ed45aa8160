import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { mutatingConfiguration } from '../../src/admission/mutating-configuration.ts';
import { DEFAULT_KINDS } from '../../src/constraints/default-match.ts';
import { guardObjects } from '../support/guard.ts';

export const CHART = resolve(import.meta.dirname, '../../deploy/helm/breakwater-guard');
const FILES = join(CHART, 'files');

interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: object; readonly annotations?: object };
  readonly rules?: unknown;
  readonly spec?: unknown;
  readonly webhooks?: readonly Webhook[];
}

interface Webhook {
  readonly name: string;
  readonly clientConfig: { readonly service: { readonly path: string } };
}

/**
 * What the chart and `breakwater guard manifests` must say in the same way: definitions, rules of the webhooks, rights. The chart
 * reads it from JSON files; these are their contents, by path in `files/`.
 */
export function chartFiles(): ReadonlyMap<string, string> {
  const objects = guardObjects() as readonly Rendered[];
  const of = (kind: string): Rendered[] => objects.filter((object) => object.kind === kind);
  const files = new Map<string, string>();
  for (const { apiVersion, kind, metadata, spec } of of('CustomResourceDefinition')) {
    const { name, labels } = metadata;
    files.set(
      `definitions/${name.split('.')[0] ?? ''}.json`,
      asFile({ apiVersion, kind, metadata: { name, labels }, spec }),
    );
  }
  files.set('webhooks.json', asFile(of('ValidatingWebhookConfiguration').map(withPaths)));
  files.set('pinning.json', asFile(withPaths(pinning(false))));
  files.set('pinning-templates.json', asFile(withPaths(pinning(true))));
  const rights = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'].flatMap(of);
  files.set('rights.json', asFile(rights));
  files.set('default-kinds.json', asFile(DEFAULT_KINDS));
  return files;
}

/** Contents of the files as they are in the chart. */
export function chartFilesNow(): ReadonlyMap<string, string> {
  const names = readdirSync(FILES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  return new Map(names.sort().map((name) => [name, readFileSync(join(FILES, name), 'utf8')]));
}

/** Writes them anew. */
export async function writeChartFiles(): Promise<void> {
  await rm(FILES, { recursive: true, force: true });
  for (const [name, text] of chartFiles()) {
    await mkdir(dirname(join(FILES, name)), { recursive: true });
    await writeFile(join(FILES, name), text);
  }
}

function pinning(templates: boolean): Rendered {
  const webhook = { service: 'breakwater-webhook' };
  return mutatingConfiguration({ webhook, namespace: 'breakwater-system', templates }) as Rendered;
}

/** Instead of how the API server reaches a webhook, which the chart decides, only the path. */
function withPaths({ apiVersion, kind, metadata, webhooks = [] }: Rendered): object {
  return {
    apiVersion,
    kind,
    metadata: { name: metadata.name },
    webhooks: webhooks.map(({ clientConfig, ...rest }) => ({ ...rest, path: clientConfig.service.path })),
  };
}

function asFile(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
