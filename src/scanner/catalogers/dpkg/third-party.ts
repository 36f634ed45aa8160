/**
 * Mail domains of makers who publish their own packages for Debian and Ubuntu. Their packages are not patched by the
 * distribution, so its advisories say nothing about what they carry. Nobody who maintains a package in Debian 12 writes
 * from these domains.
 */
const DOMAINS: ReadonlySet<string> = new Set([
  'amazon.com',
  'azul.com',
  'chromium.org',
  'cloudflare.com',
  'confluent.io',
  'datadoghq.com',
  'docker.com',
  'dynatrace.com',
  'eclipse.org',
  'elastic.co',
  'f5.com',
  'gitlab.com',
  'grafana.com',
  'hashicorp.com',
  'influxdata.com',
  'konghq.com',
  'lists.mariadb.org',
  'microsoft.com',
  'mongodb.com',
  'newrelic.com',
  'nginx.com',
  'nodesource.com',
  'oss.oracle.com',
  'percona.com',
  'puppet.com',
  'tailscale.com',
  'yarnpkg.com',
]);
/** Makers of whose domain others maintain packages in Debian. */
const ADDRESSES: ReadonlySet<string> = new Set(['cudatools@nvidia.com']);
/**
 * Builds by others that keep the name of Debian's maintainers, known by their versions: the archives of PostgreSQL, of PHP
 * for Debian, and of ROS.
 */
const FOREIGN_VERSION = /\.pgdg\d|\+debian\d+~\d+\.gbp[0-9a-f]|\d[a-z]+\.20\d{6}\.\d{6}$/;

const ADDRESS = /([^\s<>@]{1,64}@([a-z0-9.-]{1,253}))>?\s*$/i;

/** True when a `Maintainer` field, or the way a version is written, names a maker outside the distribution. */
export function isThirdParty(maintainer: string | undefined, version: string): boolean {
  if (FOREIGN_VERSION.test(version)) return true;
  // Addresses are short and stand at the end.
  const [, address, domain] = ADDRESS.exec((maintainer ?? '').slice(-400)) ?? [];
  return DOMAINS.has(domain?.toLowerCase() ?? '') || ADDRESSES.has(address?.toLowerCase() ?? '');
}
