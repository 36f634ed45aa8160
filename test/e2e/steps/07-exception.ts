import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ended, eventually, holds, leavesOut, matches, same, yes } from '../check.ts';
import { DEVELOPER, dayAfter, loginFile, OFFICER, PULLER, type Stage } from '../stage.ts';
import { say } from '../terminal.ts';

const IMAGE = 'front/alpine:3.10';
const VULNERABILITY = 'CVE-2021-36159';
/** Long enough for a pull on a slow machine, short enough to wait for. */
const LASTS_MS = 30_000;

/** Asked for by the developer, granted by an administrator for half a minute: pulls work, then stop, and all of it is written down. */
export async function grantException(stage: Stage): Promise<void> {
  ended(await pull(stage), 1, 'before, the pull is refused');
  const reason = 'no package is installed at run time: apk is not called';
  const request = [
    'exception',
    'request',
    IMAGE,
    VULNERABILITY,
    '--reason',
    reason,
    '--package',
    'apk-tools',
    '--ticket',
    'OPS-17',
  ];
  const asked = await stage.breakwater(DEVELOPER, [...request, '--until', dayAfter(30)]);
  ended(asked, 0, 'a developer asks');
  matches(asked.stdout, /^state +requested/m, 'and it counts for nothing yet');
  const id = /^id +(\S+)/m.exec(asked.stdout)?.[1] ?? '';
  ended(await pull(stage), 1, 'the pull is still refused');
  const alone = await stage.breakwater(DEVELOPER, ['exception', 'grant', 'front', id, '--reason', 'please']);
  ended(alone, 3, 'a developer grants nothing');
  await nobodyGrantsHisOwn(stage);

  const end = Date.now() + LASTS_MS;
  const until = new Date(end).toISOString();
  const grant = [
    'exception',
    'grant',
    'front',
    id,
    '--until',
    until,
    '--reason',
    'checked with the team; fixed next sprint',
  ];
  const granted = await stage.breakwater(OFFICER, grant);
  ended(granted, 0, 'somebody else grants it, for shorter than was asked');
  matches(granted.stdout, /^decided .* by bob/m, 'with his name');
  await eventually('the pull to work', async () => ((await quietPull(stage)) === 0 ? true : undefined), LASTS_MS / 2);
  ended(await pull(stage), 0, 'now the pull works');
  const excepted = await stage.breakwater(DEVELOPER, ['verdict', IMAGE]);
  ended(excepted, 0, 'the verdict is no longer blocked');
  matches(excepted.stdout, /1 set aside/, 'and says that something is set aside');
  yes(Date.now() < end, 'all this within the time of the exception');

  say('the end date passes');
  await delay(Math.max(0, end - Date.now()) + 500);
  const over = await pull(stage);
  ended(over, 1, 'the pull is refused again, at that second');
  holds(over.stderr, VULNERABILITY, 'with the reason');
  holds(
    (await stage.breakwater(DEVELOPER, ['exception', 'list', 'front'])).stdout,
    'granted, over',
    'the list says so',
  );
  if (!leavesOut('docker')) await dockerSeesTheSame(stage);

  const log = await stage.breakwater(OFFICER, ['ledger', 'list', '--target', 'project/front'], { lines: 40 });
  ended(log, 0, 'the audit log can be asked about the project');
  const told = log.stdout.split('\n').filter((line) => line.includes(id));
  matches(told[0] ?? '', /\balice +exception\.request/, 'who asked');
  matches(told[1] ?? '', /\bbob +exception\.grant/, 'and who granted');
}

async function nobodyGrantsHisOwn(stage: Stage): Promise<void> {
  const request = ['exception', 'request', 'front', 'CVE-2000-0001', '--reason', 'an attempt', '--until', dayAfter(3)];
  const own = await stage.breakwater(OFFICER, request);
  ended(own, 0, 'an administrator may ask, too');
  const id = /^id +(\S+)/m.exec(own.stdout)?.[1] ?? '';
  const refused = await stage.breakwater(OFFICER, ['exception', 'grant', 'front', id, '--reason', 'mine']);
  ended(refused, 3, 'but does not grant what he asked for');
  ended(
    await stage.breakwater('admin', ['exception', 'deny', 'front', id, '--reason', 'not needed']),
    0,
    'it is denied',
  );
}

/** Docker asks by HEAD first, which has no body to tell why; the daemon prints what it got. */
async function dockerSeesTheSame(stage: Stage): Promise<void> {
  const { host } = stage.server();
  const { docker } = await stage.docker();
  const environment = await loginFile(stage, PULLER, host);
  const image = `${host}/${IMAGE}`;
  const refused = await stage.show(PULLER.user, `docker pull ${image}`, docker(['pull', image], { environment }));
  same(refused.code === 0, false, 'docker does not get it either');
  matches(refused.stderr, /412 Precondition Failed|current image with/, 'and prints the refusal');
  const served = `${host}/back/alpine:3.10`;
  const pulled = await stage.show(PULLER.user, `docker pull ${served}`, docker(['pull', served], { environment }));
  ended(pulled, 0, 'while back serves the same image to docker');
}

function skopeoWords(stage: Stage): string[] {
  const creds = `--src-creds=${PULLER.user}:${PULLER.password}`;
  const from = `docker://${stage.server().host}/${IMAGE}`;
  return ['--insecure-policy', 'copy', '--src-tls-verify=false', creds, from, `dir:${join(stage.folder, 'excepted')}`];
}

function pull(stage: Stage) {
  return stage.type(PULLER.user, 'skopeo', skopeoWords(stage), { lines: 6 });
}

async function quietPull(stage: Stage): Promise<number> {
  return (await stage.run('skopeo', skopeoWords(stage))).code;
}
