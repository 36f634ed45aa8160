import { ended, holds, matches, same } from '../check.ts';
import { DEVELOPER, OFFICER, PULLER, type Stage } from '../stage.ts';

/** `front` blocks at high, `back` warns at critical; three people beside the administrator. */
export async function makeProjects(stage: Stage): Promise<void> {
  const front = await stage.breakwater('admin', ['project', 'create', 'front', '--block', 'high']);
  ended(front, 0, 'front is made by the command line');
  matches(front.stdout, /blocks at +high/, 'front blocks at high');

  const { url } = stage.server();
  const body = JSON.stringify({ name: 'back', public: false, warn: 'critical' });
  const login = `admin:${stage.adminPassword}`;
  const options = ['-sS', '--fail-with-body', '--user', login, '-H', 'Content-Type: application/json'];
  const back = await stage.type('admin', 'curl', [...options, '-d', body, `${url}/api/v1/projects`]);
  ended(back, 0, 'back is made by the API');
  same((JSON.parse(back.stdout) as { name: string }).name, 'back', 'the API answers with the project');

  const again = await stage.type('admin', 'curl', [...options, '-d', body, `${url}/api/v1/projects`]);
  ended(again, 22, 'a second project of that name is refused');
  holds(again.stdout, '"status":409', 'with problem details');

  for (const { user, password } of [DEVELOPER, PULLER])
    ended(
      await stage.breakwater('admin', ['user', 'create', user, '--password-stdin'], { input: password }),
      0,
      `${user} gets an account`,
    );
  ended(
    await stage.breakwater('admin', ['user', 'create', OFFICER.user, '--admin', '--password-stdin'], {
      input: OFFICER.password,
    }),
    0,
    'a second administrator gets an account',
  );
  for (const project of ['front', 'back']) {
    const developer = ['project', 'member', 'add', project, DEVELOPER.user, '--role', 'developer'];
    ended(await stage.breakwater('admin', developer), 0, `${DEVELOPER.user} may push to ${project}`);
    const guest = ['project', 'member', 'add', project, PULLER.user, '--role', 'guest'];
    ended(await stage.breakwater('admin', guest), 0, `${PULLER.user} may pull from ${project}`);
  }

  const listed = await stage.breakwater('admin', ['project', 'list']);
  matches(listed.stdout, /^front\s+no\s+high\s/m, 'the list shows front');
  matches(listed.stdout, /^back\s+no\s+off\s+critical\s/m, 'the list shows back');

  const denied = await stage.breakwater(DEVELOPER, ['project', 'create', 'mine']);
  ended(denied, 3, 'a developer makes no projects');
  matches(denied.stderr, /may not|permission|administrator/i, 'and is told so');
}
