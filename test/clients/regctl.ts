import { join } from 'node:path';
import { layoutDigest } from '../support/oci-layout.ts';
import { requirePeer } from '../support/peers.ts';
import { run } from '../support/program.ts';
import { type Client, done, OPERATIONS, refused, same } from './client.ts';

export const regctl: Client = {
  name: 'regctl',
  peer: 'regctl',
  can: OPERATIONS,
  async open({ host, user, password, layout, index, name, digest, indexDigest, broken, fresh, folder }) {
    const work = await folder();
    const settings = join(work, 'regctl.json');
    const call = (...args: string[]) =>
      run(requirePeer('regctl'), args, { environment: { REGCTL_CONFIG: settings, HOME: work } });
    const image = `${host}/clients/regctl:1`;
    const copied = `${host}/clients/regctl-copy:1`;
    return {
      operations: {
        async push() {
          for (const one of [host, broken.host]) {
            done(await call('registry', 'set', '--tls=disabled', one));
            done(await call('registry', 'login', one, `--user=${user}`, `--pass=${password}`));
          }
          done(await call('image', 'copy', `ocidir://${layout}:${name}`, image));
          done(await call('image', 'copy', `ocidir://${index}:${name}`, `${host}/clients/regctl:index`));
          same(
            done(await call('image', 'digest', '--list', `${host}/clients/regctl:index`)).stdout.trim(),
            indexDigest,
            'index',
          );
        },
        async pull() {
          const back = await folder();
          done(await call('image', 'copy', image, `ocidir://${back}:${name}`));
          same(await layoutDigest(back), digest, 'digest of what came back');
        },
        async list() {
          same(done(await call('tag', 'ls', `${host}/clients/regctl`)).stdout, '1\nindex\n', 'tags');
          same(
            done(await call('repo', 'ls', host)).stdout.includes('clients/regctl\n'),
            true,
            'the catalogue names it',
          );
        },
        async copy() {
          done(await call('image', 'copy', image, copied));
          same(done(await call('image', 'digest', copied)).stdout.trim(), digest, 'digest of the copy');
        },
        async again() {
          const target = `${broken.host}/clients/regctl-again:1`;
          const { layout: own, digest: expected } = await fresh();
          const outcome = await call('image', 'copy', `ocidir://${own}:${name}`, target);
          broken.mend();
          // It may go on where the line broke by itself.
          if (outcome.code !== 0) done(await call('image', 'copy', `ocidir://${own}:${name}`, target));
          same(done(await call('image', 'digest', target)).stdout.trim(), expected, 'digest after the interruption');
        },
        async delete() {
          done(await call('tag', 'delete', copied));
          refused(await call('image', 'digest', copied));
          done(await call('manifest', 'delete', `${host}/clients/regctl-copy@${digest}`));
        },
      },
    };
  },
};
