import { openPodman } from '../support/podman.ts';
import { type Client, done, refused, same } from './client.ts';

/** Also stands for buildah, which it pushes and pulls with. */
export const podman: Client = {
  name: 'podman, buildah',
  peer: 'podman',
  can: ['push', 'pull', 'list', 'again'],
  async open({ host, user, password, layout, name, broken, fresh }) {
    const { podman: call, remove } = await openPodman();
    const login = ['--tls-verify=false', `--creds=${user}:${password}`];
    const image = `${host}/clients/podman:1`;
    let id = '';
    const layersOf = async (what: string) =>
      done(await call(['image', 'inspect', '--format={{json .RootFS.Layers}}', what])).stdout;
    let layers = '';
    return {
      operations: {
        async push() {
          done(await call(['pull', `oci:${layout}:${name}`]));
          id = done(await call(['images', '--quiet', '--no-trunc'])).stdout.trim();
          layers = await layersOf(id);
          done(await call(['push', ...login, id, image]));
        },
        async again() {
          const target = `${broken.host}/clients/podman-again:1`;
          const { layout: own } = await fresh();
          done(await call(['pull', `oci:${own}:${name}`]));
          const other = done(await call(['images', '--quiet', '--no-trunc']))
            .stdout.split('\n')
            .find((one) => one && one !== id);
          refused(await call(['push', ...login, other ?? '', target]));
          broken.mend();
          done(await call(['push', ...login, other ?? '', target]));
        },
        async pull() {
          done(await call(['rmi', '--force', id]));
          done(await call(['pull', ...login, image]));
          same(await layersOf(image), layers, 'layers that came back');
        },
        async list() {
          done(await call(['login', '--tls-verify=false', `--username=${user}`, `--password=${password}`, host]));
          const { stdout } = done(
            await call(['search', '--tls-verify=false', '--list-tags', '--format={{.Tag}}', `${host}/clients/podman`]),
          );
          same(stdout.trim().split(/\s+/).at(-1), '1', 'the only tag');
        },
      },
      close: remove,
    };
  },
};
