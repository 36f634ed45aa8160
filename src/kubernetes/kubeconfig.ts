import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { messageOf } from '../platform/errors.ts';
import { KubernetesError } from './errors.ts';

/** How to reach and convince an API server. */
export interface ClusterAccess {
  /** Origin and optional path prefix, without a slash at the end. */
  readonly server: string;
  /** PEM bundle; the system's authorities when absent. */
  readonly ca?: string;
  /** Host name to expect in the certificate, when it is not the one of `server`. */
  readonly serverName?: string;
  readonly insecure: boolean;
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
  readonly token?: string;
  /** Read again now and then, because the kubelet rotates it. */
  readonly tokenFile?: string;
}

const text = z.string().optional();
const kubeconfigSchema = z.looseObject({
  'current-context': text,
  clusters: z.array(
    z.looseObject({
      name: z.string(),
      cluster: z.looseObject({
        server: z.url(),
        'certificate-authority': text,
        'certificate-authority-data': text,
        'tls-server-name': text,
        'insecure-skip-tls-verify': z.boolean().optional(),
      }),
    }),
  ),
  users: z
    .array(
      z.looseObject({
        name: z.string(),
        user: z
          .looseObject({
            token: text,
            tokenFile: text,
            'client-certificate': text,
            'client-certificate-data': text,
            'client-key': text,
            'client-key-data': text,
          })
          .nullish(),
      }),
    )
    .nullish(),
  contexts: z.array(z.looseObject({ name: z.string(), context: z.looseObject({ cluster: z.string(), user: text }) })),
});

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const LARGEST_FILE = 1_048_576;

/**
 * Reads a kubeconfig file: current or named context, tokens, client certificates, data or files (relative to the
 * file). Throws `kubeconfig_invalid`; plugins (`exec`, `auth-provider`) and basic authentication are refused.
 */
export function loadKubeconfig(path: string, context?: string): ClusterAccess {
  return parseKubeconfig(readText(path), dirname(path), context);
}

/** Like `loadKubeconfig`, on its text; relative files are looked up in `folder`. */
export function parseKubeconfig(source: string, folder: string, context?: string): ClusterAccess {
  const config = readConfig(source);
  const contextName = context ?? config['current-context'];
  const chosen = config.contexts.find(({ name }) => name === contextName)?.context;
  if (!chosen) throw invalid(`there is no context "${contextName ?? ''}"; name one in current-context`);
  const cluster = config.clusters.find(({ name }) => name === chosen.cluster)?.cluster;
  if (!cluster) throw invalid(`there is no cluster "${chosen.cluster}"`);
  const user = config.users?.find(({ name }) => name === chosen.user)?.user ?? {};
  for (const unsupported of ['exec', 'auth-provider', 'username']) {
    if (unsupported in user)
      throw invalid(`users of kind "${unsupported}" are not supported; use a token or a client certificate`);
  }
  const ca = dataOrFile(cluster['certificate-authority-data'], cluster['certificate-authority'], folder);
  const cert = dataOrFile(user['client-certificate-data'], user['client-certificate'], folder);
  const key = dataOrFile(user['client-key-data'], user['client-key'], folder);
  if ((cert === undefined) !== (key === undefined)) throw invalid('a client certificate and its key go together');
  return {
    server: cluster.server.replace(/\/+$/, ''),
    insecure: cluster['insecure-skip-tls-verify'] ?? false,
    ...(ca === undefined ? {} : { ca }),
    ...(cluster['tls-server-name'] ? { serverName: cluster['tls-server-name'] } : {}),
    ...(cert !== undefined && key !== undefined ? { clientCertificate: { cert, key } } : {}),
    ...(user.token ? { token: user.token } : {}),
    ...(user.tokenFile && !user.token ? { tokenFile: resolve(folder, user.tokenFile) } : {}),
  };
}

/** Access with the service account that Kubernetes mounts into every pod. */
export function inClusterAccess(folder = SERVICE_ACCOUNT): ClusterAccess {
  return {
    server: 'https://kubernetes.default.svc',
    insecure: false,
    ca: readText(`${folder}/ca.crt`),
    tokenFile: `${folder}/token`,
  };
}

function readConfig(source: string): z.infer<typeof kubeconfigSchema> {
  let document: unknown;
  try {
    document = parse(source, { maxAliasCount: 100, logLevel: 'error' });
  } catch (error) {
    throw new KubernetesError('kubeconfig_invalid', `the kubeconfig is not YAML: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const parsed = kubeconfigSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

function dataOrFile(data: string | undefined, file: string | undefined, folder: string): string | undefined {
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  return file ? readText(resolve(folder, file)) : undefined;
}

function readText(path: string): string {
  try {
    const content = readFileSync(path, 'utf8');
    if (content.length > LARGEST_FILE) throw new Error(`it is larger than ${LARGEST_FILE} bytes`);
    return content;
  } catch (error) {
    throw new KubernetesError('kubeconfig_invalid', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function invalid(why: string): KubernetesError {
  return new KubernetesError('kubeconfig_invalid', `the kubeconfig cannot be used: ${why}`);
}

/** The cluster of a kubeconfig file; without one, that of the pod this runs in. */
export function clusterAccess(kubeconfig: string | undefined): ClusterAccess {
  return kubeconfig === undefined ? inClusterAccess() : loadKubeconfig(kubeconfig);
}
