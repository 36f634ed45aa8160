import { type Config, formatAddress } from '../config.ts';

interface FirstUser {
  readonly name: string;
  readonly password: string;
  readonly generated: boolean;
}

/** A webhook without a cluster looks like one that obeys it. */
const FOLLOWS_NOTHING = [
  '                     follows no cluster: it only warns, by the trusted sources kept here, and constraints',
  '                     do not count; BREAKWATER_KUBECONFIG=FILE makes it follow one, and audit it',
];

/** What the person who started it reads: where to go, the first password (this once), what to try. */
export function banner(config: Config, first: FirstUser | undefined): string {
  const scheme = config.tlsCert === undefined ? 'http' : 'https';
  const url = config.publicUrl ?? `${scheme}://${formatAddress(config.listen)}`;
  const lines = [
    '',
    `  Breakwater is ready.`,
    '',
    `  registry and API   ${url}`,
    `  webhook            https://${formatAddress(config.webhookListen)}`,
    ...(config.kubeconfig === undefined ? FOLLOWS_NOTHING : []),
    `  metrics, health    http://${formatAddress(config.metricsListen)}`,
    `  data               ${config.dataDir}`,
    ...(config.blobs === undefined ? [] : [`  blobs              ${config.blobs}`]),
    ...(first?.generated
      ? ['', `  First user: ${first.name}   password: ${first.password}`, '  It is shown this once; keep it.']
      : []),
    '',
    '  Try next:',
    `    npx breakwater login ${url}`,
    '    npx breakwater project create front --block high',
    '    npx breakwater mirror copy docker.io/library/alpine:3.20 front/alpine:3.20',
    '',
  ];
  return `${lines.join('\n')}\n`;
}
