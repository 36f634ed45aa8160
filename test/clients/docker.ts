import { startDockerDaemon } from '../support/docker-daemon.ts';
import { type Client, done, refused, same } from './client.ts';

export const docker: Client = {
  name: 'docker',
  peer: 'docker',
  can: ['push', 'pull', 'again'],
  async open({ host, user, password, layers, broken, fresh }) {
    const daemon = await startDockerDaemon(host, broken.host);
    const call = (...args: string[]) => daemon.docker(args);
    const images = layers.map((layer, number) => ({ layer, tag: `${host}/clients/docker:${number}` }));
    const layersOf = async (tag: string) =>
      done(await call('image', 'inspect', '--format={{json .RootFS.Layers}}', tag)).stdout;
    const login = (to: string, given: string) =>
      daemon.docker(['login', '--username', user, '--password-stdin', to], { input: given });
    return {
      operations: {
        async push() {
          const wrong = refused(await login(host, 'not-the-password'));
          if (!/unauthorized|incorrect|denied/i.test(wrong.stderr)) throw new Error(wrong.screen);
          done(await login(host, password));
          for (const { layer, tag } of images) {
            done(await call('import', layer, tag));
            done(await call('push', tag));
          }
        },
        async pull() {
          for (const { tag } of images) {
            const before = await layersOf(tag);
            done(await call('rmi', tag));
            done(await call('pull', tag));
            same(await layersOf(tag), before, 'layers that came back');
          }
        },
        async again() {
          const tag = `${broken.host}/clients/docker-again:1`;
          done(await login(broken.host, password));
          const { layers: own } = await fresh();
          done(await call('import', own.at(-1) ?? '', tag));
          // It tries five times by itself, so the line is mended while it waits.
          const pushing = call('push', tag);
          await new Promise((resolve) => setTimeout(resolve, 3000));
          broken.mend();
          done(await pushing);
          done(await call('push', tag));
        },
      },
      close: () => daemon.stop(),
    };
  },
};
