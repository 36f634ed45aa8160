import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { cacheFolder, configFolder, DEFAULT_DATA_DIR } from './folders.ts';
import { parseBytes } from './platform/byte-size.ts';
import { CodedError, messageOf } from './platform/errors.ts';

export class ConfigError extends CodedError<'config_invalid'> {}

const listen = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'expected host:port, like 127.0.0.1:8080')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'the port must be at most 65535')
  .transform((text) => {
    const colon = text.lastIndexOf(':');
    return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
  });
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0'])])
  .transform((value) => value === true || value === 'true' || value === '1');

const byteSize = z
  .union([z.string(), z.number()])
  .transform((size) => parseBytes(String(size)))
  .refine((bytes) => bytes !== undefined, 'expected a number of bytes, like 50GB or 512MiB');
const PROXIES = 'expected true, false, or addresses and networks like 10.0.0.1,10.1.0.0/16';
/** Addresses and networks, comma separated. */
const proxies = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((parts) => parts.every(isNetwork), PROXIES);

function isNetwork(text: string): boolean {
  const [address = '', length, ...rest] = text.split('/');
  const kind = isIP(address);
  if (kind === 0 || rest.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (kind === 4 ? 32 : 128));
}

const perMinute = z.coerce.number().int().min(0).max(10_000_000);

const dnsLabel = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'expected the name of a namespace');

const storeAddress = z.url({ protocol: /^https?$/ }).refine((text) => {
  const { username, password, search, hash } = new URL(text);
  return username + password + search + hash === '';
}, 'expected an address like https://s3.example.com, without user, password or query');

/** Every setting, its default and its environment name (`BREAKWATER_` + upper snake case of the key). */
const settingsSchema = z
  .object({
    listen: listen.prefault('127.0.0.1:8080'),
    webhookListen: listen.prefault('127.0.0.1:8443'),
    metricsListen: listen.prefault('127.0.0.1:9090'),
    /** Address clients use, when a proxy stands in front: https://registry.example.com */
    publicUrl: z.url().optional(),
    tlsCert: z.string().optional(),
    tlsKey: z.string().optional(),
    dataDir: z.string().min(1).prefault(DEFAULT_DATA_DIR),
    databaseUrl: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'expected postgres://user:password@host/database')
      .optional(),
    /** Keeps blobs in a bucket instead of the data folder: `s3://bucket/prefix`. */
    blobs: z
      .string()
      .regex(
        /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)*\/?$/,
        'expected s3://bucket or s3://bucket/prefix',
      )
      .optional(),
    /** Address of the store; default: Amazon's own for the region. */
    s3Endpoint: storeAddress.optional(),
    s3Region: z.string().min(1).prefault('us-east-1'),
    /** The bucket is in the path of addresses; default: yes with `s3Endpoint`, no without. */
    s3PathStyle: flag.optional(),
    /** Without keys: what the environment of Amazon's tools or the machine's role gives. */
    s3AccessKey: z.string().min(1).optional(),
    s3SecretKey: z.string().min(1).optional(),
    /** Files with the keys, read again while the server runs. */
    s3AccessKeyFile: z.string().min(1).optional(),
    s3SecretKeyFile: z.string().min(1).optional(),
    /** MiB of every part of an upload, for stores that want equal ones; default: they grow. */
    s3PartSize: z.coerce.number().int().min(5).max(5120).optional(),
    /** Seconds the store may be silent. */
    s3TimeoutSeconds: z.coerce.number().int().min(1).max(3600).prefault(30),
    /** Sends clients to the store for the content of blobs. */
    s3Redirect: flag.prefault(false),
    /** Address of the store as clients reach it; default: `s3Endpoint`. */
    s3PublicEndpoint: storeAddress.optional(),
    adminPassword: z.string().min(8, 'must have at least 8 characters').optional(),
    /** 32 bytes, base64: encrypts secrets at rest. Made in the data folder when absent. */
    secretKey: z.string().optional(),
    logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).prefault('info'),
    /** How long a manifest PUT waits for its verdict before it answers without. */
    verdictBudgetMs: z.coerce.number().int().min(0).max(120_000).prefault(10_000),
    /** Worker threads that analyse layers. */
    analysisWorkers: z.coerce.number().int().min(1).max(64).prefault(2),
    /** Names under which the webhook is reached, comma separated; they go into its certificate. */
    webhookHosts: z.string().prefault('localhost,127.0.0.1,breakwater-webhook.breakwater-system.svc'),
    /** Address under which the API server reaches the webhook; default: https:// and `webhookListen`. */
    webhookUrl: z.url().optional(),
    /** The cluster to watch and audit; without it the webhook decides from the trusted sources kept here. */
    kubeconfig: z.string().optional(),
    /** Name of that cluster in reports. */
    clusterName: z.string().min(1).max(255).prefault('default'),
    /** Seconds between two audits of the cluster. */
    auditIntervalSeconds: z.coerce.number().int().min(5).max(86_400).prefault(60),
    /** Violations that the status of a constraint lists; all of them are in `breakwater violations list`. */
    auditViolationsLimit: z.coerce.number().int().min(0).max(500).prefault(20),
    /** Reports that audits write into the cluster: `auto` into every API it has, PolicyReport (`wgpolicy`), `openreports`, or `off`. */
    auditReports: z.enum(['off', 'auto', 'wgpolicy', 'openreports']).prefault('off'),
    /** Make a Kubernetes Event, merged, for what audits find. */
    auditEvents: flag.prefault(false),
    /** Where the guard keeps what its replicas share: certificates, lease, heartbeats. */
    guardNamespace: dnsLabel.prefault('breakwater-system'),
    /** Name of this replica of the guard, unlike any other's; default: the host's name, which is the pod's. */
    guardReplica: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/, 'expected letters, digits, -, _ and .')
      .optional(),
    /** Where the webhook's certificates are kept: `secret` of the cluster, shared by all replicas, or `folder`; default: `secret` with `guard serve`, else `folder`. */
    guardCertificates: z.enum(['secret', 'folder']).optional(),
    /** Files of a certificate that somebody else renews; it is served instead, and taken up again when it changes. */
    guardTlsCert: z.string().min(1).optional(),
    guardTlsKey: z.string().min(1).optional(),
    guardTlsCa: z.string().min(1).optional(),
    /** The same as a Secret in `guardNamespace`: tls.crt, tls.key and, when published, ca.crt. */
    guardTlsSecret: z.string().min(1).optional(),
    /** Write the authority of such a certificate into the webhook configurations; else that is somebody else's work. */
    guardPublishCa: flag.prefault(false),
    /** File with the authorities (PEM) of those who may call the webhook; default: whoever reaches its port. */
    guardClientCa: z.string().min(1).optional(),
    /** Common names that their certificates may have, comma separated. */
    guardClientNames: z.string().min(1).prefault('kube-apiserver'),
    /** Namespaces that may carry the label which takes them out of admission, comma separated: names, `prefix*`, `*suffix`. */
    guardExemptNamespaces: z.string().prefault('kube-system'),
    /** Users, beside Kubernetes' own controllers, that make pods for living owners, comma separated: service accounts of operators. */
    guardControllers: z.string().prefault(''),
    /** Groups whose members may let in by annotation what would be denied, comma separated; default: nobody. */
    guardBreakGlassGroups: z.string().prefault(''),
    /** Serve the webhook that puts digests behind tags: of `pods`, or of `templates` too. */
    guardPinning: z.enum(['off', 'pods', 'templates']).prefault('off'),
    /** Prove with dry runs that requests come through; default: with `guard serve`. */
    guardProbe: flag.optional(),
    /** Namespace of these dry runs; the webhook must be asked about it. */
    guardProbeNamespace: dnsLabel.prefault('default'),
    /** Seconds a guard goes on serving after it was told to stop. */
    guardDrainSeconds: z.coerce.number().int().min(0).max(600).prefault(10),
    /** Seconds between two heartbeats of a replica. */
    guardHeartbeatSeconds: z.coerce.number().min(0.2).max(60).prefault(10),
    /** Seconds between the phases of a change of certificates at least; every API server has taken up a changed configuration by then. */
    guardSettleSeconds: z.coerce.number().min(0.5).max(3600).prefault(30),
    /** The server a guard follows for verdicts and the trusted set; without it the constraints alone decide. */
    guardServer: z.url({ protocol: /^https?$/ }).optional(),
    /** A file with `NAME:SECRET` of the guard's robot there. */
    guardServerTokenFile: z.string().min(1).optional(),
    /** A PEM file of the authorities to trust for it. */
    guardServerCa: z.string().min(1).optional(),
    /** Projects to follow, comma separated; default: all the robot may read. */
    guardProjects: z.string().optional(),
    /** Verdicts that were not confirmed for so long are unknown. */
    guardFactsMaxAgeHours: z.coerce.number().min(0.01).max(8784).prefault(24),
    /** Sources the server fetches advisories from by itself, comma separated, or `usual`; without it, it fetches nothing. */
    advisorySources: z.string().optional(),
    /** Where they are fetched instead of from their publishers: `kind=address`, comma separated. */
    advisoryMirrors: z.string().optional(),
    /** Hours between two times, moved by chance by up to a quarter. */
    advisoryRefreshHours: z.coerce.number().min(1).max(720).prefault(12),
    /** Bytes that a project may hold when it has no quota of its own, `50GB`; default: any number. */
    projectQuota: byteSize.optional(),
    /** How long content is left alone after the last thing that referred to it went away. */
    gcDelaySeconds: z.coerce.number().int().min(0).max(7_776_000).prefault(86_400),
    /** Days from the end of one reading of all stored blobs to the beginning of the next; 0 = never. */
    scrubIntervalDays: z.coerce.number().min(0).max(3650).prefault(30),
    /** Whose `X-Forwarded-*` headers are believed: addresses and networks of proxies, comma separated; `true` = everybody's. */
    trustProxy: z.union([flag, proxies], { error: PROXIES }).prefault(false),
    /** Requests a minute for each account: manifests, lists and tokens; 0 = no limit. */
    limitPulls: perMinute.prefault(0),
    /** Uploads and changes of content. */
    limitWrites: perMinute.prefault(0),
    /** Calls of the management API. */
    limitApi: perMinute.prefault(0),
    /** The same for whoever has no account, by network, in each of the three, where it is lower. */
    limitAnonymous: perMinute.prefault(0),
    fourEyes: flag.prefault(true),
    /** False: this replica only answers; what is done in the background is left to others. */
    backgroundWork: flag.prefault(true),
    /** How many days ahead the review of a trusted source may lie. */
    trustReviewMostDays: z.coerce.number().int().min(1).max(3660).prefault(1098),
    /** A source that nobody reviewed for so many days after the date is not trusted any more; absent: it stays trusted. */
    trustOverdueDays: z.coerce.number().int().min(0).max(3660).optional(),
    /** The server that takes mails: `smtps://user:password@host:465`, or `smtp://…:587`, which has to speak TLS (`?starttls=never`: without). */
    smtpUrl: z
      .url({ protocol: /^smtps?$/, error: 'expected smtps://user:password@host:465 or smtp://host:587' })
      .optional(),
    /** Who mails are from, `Breakwater <breakwater@example.com>`. */
    mailFrom: z
      .string()
      .regex(/^[^\r\n]*@[^\r\n]+$/, 'expected an address like breakwater@example.com')
      .optional(),
    /** Days after which the advisory database counts as old, and receivers are told. */
    advisoriesStaleDays: z.coerce.number().min(0.01).max(3650).prefault(3),
    /** Command line against a server. */
    url: z.url().optional(),
    user: z.string().optional(),
    password: z.string().optional(),
    /** Where `breakwater login` keeps what it checked; default: `breakwater` in the user's folder of settings. */
    configHome: z.string().min(1).optional(),
    /** Where `breakwater scan` unpacks the shipped advisories; default: `breakwater` in the user's cache folder. */
    cacheHome: z.string().min(1).optional(),
  })
  .strict();

export type Config = Readonly<z.infer<typeof settingsSchema>> & {
  readonly configHome: string;
  readonly cacheHome: string;
};

const SECRET_KEYS: ReadonlySet<string> = new Set([
  'adminPassword',
  'smtpUrl',
  'secretKey',
  'password',
  'databaseUrl',
  's3AccessKey',
  's3SecretKey',
]);
const KEYS = Object.keys(settingsSchema.shape) as (keyof Config)[];

function environmentName(key: string): string {
  return `BREAKWATER_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * Reads the environment and the optional file named by `BREAKWATER_CONFIG` (YAML or JSON; the environment wins).
 * The only reader of the environment. Throws `ConfigError` that names every wrong setting.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const fromFile = environment['BREAKWATER_CONFIG'] ? readSettingsFile(environment['BREAKWATER_CONFIG']) : {};
  const fromEnvironment: Record<string, unknown> = {};
  for (const key of KEYS) {
    const value = environment[environmentName(key)];
    if (value !== undefined && value !== '') fromEnvironment[key] = value;
  }
  const parsed = settingsSchema.safeParse({ ...fromFile, ...fromEnvironment });
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const key = String(issue.path[0] ?? (issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : 'file'));
      return `${environmentName(key)}: ${issue.message}`;
    });
    throw new ConfigError('config_invalid', `configuration is not valid:\n  ${lines.join('\n  ')}`);
  }
  checkS3Keys(parsed.data);
  checkGuardCertificate(parsed.data);
  checkGuardServer(parsed.data);
  checkMail(parsed.data);
  const { dataDir, configHome, cacheHome } = parsed.data;
  return Object.freeze({
    ...parsed.data,
    dataDir: resolve(dataDir),
    configHome: configFolder(configHome, environment),
    cacheHome: cacheFolder(cacheHome, environment),
  });
}

/** Half a pair of keys, or one said twice, is a mistake that the store would report as something else. */
function checkS3Keys(settings: z.infer<typeof settingsSchema>): void {
  const { s3AccessKey, s3AccessKeyFile, s3SecretKey, s3SecretKeyFile } = settings;
  const [access, secret] = [
    [s3AccessKey, s3AccessKeyFile],
    [s3SecretKey, s3SecretKeyFile],
  ].map((pair) => pair.filter((value) => value !== undefined).length);
  if (access === secret && access !== 2) return;
  throw new ConfigError(
    'config_invalid',
    'configuration is not valid:\n  BREAKWATER_S3_ACCESS_KEY, BREAKWATER_S3_SECRET_KEY: set both or neither, each as it is or as …_FILE',
  );
}

/** A certificate is of no use without its key, and there is one place it comes from. */
function checkGuardServer({ guardServer, guardServerTokenFile }: z.infer<typeof settingsSchema>): void {
  if ((guardServer === undefined) === (guardServerTokenFile === undefined)) return;
  throw new ConfigError(
    'config_invalid',
    'configuration is not valid:\n  BREAKWATER_GUARD_SERVER, BREAKWATER_GUARD_SERVER_TOKEN_FILE: set both',
  );
}

function checkMail({ smtpUrl, mailFrom }: z.infer<typeof settingsSchema>): void {
  if ((smtpUrl === undefined) === (mailFrom === undefined)) return;
  throw new ConfigError(
    'config_invalid',
    'configuration is not valid:\n  BREAKWATER_SMTP_URL, BREAKWATER_MAIL_FROM: set both',
  );
}

function checkGuardCertificate(settings: z.infer<typeof settingsSchema>): void {
  const { guardTlsCert, guardTlsKey, guardTlsCa, guardTlsSecret } = settings;
  const files = [guardTlsCert, guardTlsKey, guardTlsCa].some((value) => value !== undefined);
  const half = files && (guardTlsCert === undefined || guardTlsKey === undefined);
  if (!half && !(files && guardTlsSecret !== undefined)) return;
  throw new ConfigError(
    'config_invalid',
    'configuration is not valid:\n  BREAKWATER_GUARD_TLS_CERT, BREAKWATER_GUARD_TLS_KEY: set both, or BREAKWATER_GUARD_TLS_SECRET instead',
  );
}

function readSettingsFile(path: string): Record<string, unknown> {
  try {
    // Loaded only where there is such a file: every command reads the settings.
    const { parse } = createRequire(import.meta.url)('yaml') as { readonly parse: (text: string) => unknown };
    const value = parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error('expected a mapping of settings');
    return value as Record<string, unknown>;
  } catch (error) {
    throw new ConfigError('config_invalid', `cannot read the configuration file ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The configuration as it may be shown: secrets are replaced, addresses written as host:port. */
export function redactConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, SECRET_KEYS.has(key) ? '(set)' : isAddress(value) ? formatAddress(value) : value]),
  );
}

export function formatAddress(address: ListenAddress): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

function isAddress(value: unknown): value is ListenAddress {
  return typeof value === 'object' && value !== null && 'host' in value && 'port' in value;
}
