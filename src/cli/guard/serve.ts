import { Command, InvalidArgumentError } from 'commander';
import type { Config } from '../../config.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../exit.ts';

interface ServeOptions {
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly replica?: string;
  readonly tlsCertFile?: string;
  readonly tlsKeyFile?: string;
  readonly tlsCaFile?: string;
  readonly server?: string;
  readonly serverTokenFile?: string;
  readonly serverCa?: string;
  readonly projects?: string;
  readonly factsMaxAge?: number;
}

/** `breakwater guard serve`: one replica of the guard, until SIGTERM or SIGINT. */
export function guardServeCommand(cli: Cli): Command {
  return new Command('serve')
    .description('run the guard alone, near an API server: webhook, audit, metrics')
    .option('--kubeconfig <file>', 'the cluster to guard (default: the one this pod runs in)')
    .option('--namespace <name>', 'where the replicas keep what they share (default: breakwater-system)')
    .option('--replica <name>', 'name of this replica (default: the host name, which is the name of the pod)')
    .option('--tls-cert-file <file>', 'serve a certificate that somebody else renews, and take up each new one')
    .option('--tls-key-file <file>', 'its key')
    .option('--tls-ca-file <file>', 'its authority, for BREAKWATER_GUARD_PUBLISH_CA=true')
    .option('--server <url>', 'the server to follow for verdicts and the trusted set')
    .option('--server-token-file <file>', "one line NAME:SECRET of the guard's robot there")
    .option('--server-ca <file>', 'authorities to trust for it')
    .option('--projects <names>', 'projects to follow, comma separated (default: all the robot may read)')
    .option('--facts-max-age <hours>', 'older verdicts are unknown: 24h, 30m (default: 24h)', hours)
    .addHelpText(
      'after',
      `
Settings come from the environment or the file named by BREAKWATER_CONFIG; options win. For example:
  BREAKWATER_WEBHOOK_LISTEN=0.0.0.0:8443 BREAKWATER_METRICS_LISTEN=0.0.0.0:9090 breakwater guard serve
  breakwater guard serve --kubeconfig ~/.kube/config --replica guard-0
  breakwater guard serve --server https://harbor.example.com --server-token-file /var/run/guard/token`,
    )
    .action(async (options: ServeOptions) => {
      const { programs } = cli;
      if (!programs.serveGuard) throw new CliError('failed', 'this program was started without its guard');
      const config = withOptions(await cli.config(), options);
      if ((config.guardTlsCert === undefined) !== (config.guardTlsKey === undefined)) {
        throw new CliError('usage', '--tls-cert-file and --tls-key-file go together');
      }
      if ((config.guardServer === undefined) !== (config.guardServerTokenFile === undefined))
        throw new CliError('usage', '--server and --server-token-file go together');
      if (config.guardServer !== undefined && !/^https?:$/.test(URL.parse(config.guardServer)?.protocol ?? ''))
        throw new CliError('usage', '--server: not an address like https://harbor.example.com');
      await programs.serveGuard(config);
    });
}

function withOptions(config: Config, options: ServeOptions): Config {
  const { kubeconfig, namespace, replica, tlsCertFile, tlsKeyFile, tlsCaFile } = options;
  const { server, serverTokenFile, serverCa, projects, factsMaxAge } = options;
  return {
    ...config,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(namespace === undefined ? {} : { guardNamespace: namespace }),
    ...(replica === undefined ? {} : { guardReplica: replica }),
    ...(tlsCertFile === undefined ? {} : { guardTlsCert: tlsCertFile }),
    ...(tlsKeyFile === undefined ? {} : { guardTlsKey: tlsKeyFile }),
    ...(tlsCaFile === undefined ? {} : { guardTlsCa: tlsCaFile }),
    ...(server === undefined ? {} : { guardServer: server }),
    ...(serverTokenFile === undefined ? {} : { guardServerTokenFile: serverTokenFile }),
    ...(serverCa === undefined ? {} : { guardServerCa: serverCa }),
    ...(projects === undefined ? {} : { guardProjects: projects }),
    ...(factsMaxAge === undefined ? {} : { guardFactsMaxAgeHours: factsMaxAge }),
  };
}

const HOURS: Readonly<Record<string, number>> = { s: 1 / 3600, m: 1 / 60, h: 1, d: 24 };

/** `24h`, `30m`, `2d` as hours. */
function hours(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const value = Number(count) * (HOURS[unit] ?? Number.NaN);
  if (!(value >= 0.01 && value <= 8784)) throw new InvalidArgumentError('not a time span from 36s to 366d, like 24h');
  return value;
}
