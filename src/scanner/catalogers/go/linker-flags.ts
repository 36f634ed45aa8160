const LONGEST = 64 * 1024;
/** `-X importpath.name=value`; what stands around the value in quotes cannot have blanks in it for us. */
const ASSIGNMENT = /-X[ =]["']?([^\s="']{1,512}?)\.([A-Za-z_]{1,64})=["']?([^\s"']{1,128})/g;
const NAME = /^(?:app|build|git|release|sem)?_?version$/i;
const VERSION = /^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$/;

/**
 * The version that a build set in its program by the linker's flag `-X`, with a leading `v`. Variables of the main package
 * and of the module itself count; those of other modules only when they are made for it (a package named `version`). When
 * several say different things, nothing is known.
 */
export function versionOfFlags(written: string, module: string): string | undefined {
  const found = [...unquoted(written.slice(0, LONGEST)).matchAll(ASSIGNMENT)].flatMap(
    ([, path = '', name = '', value = '']) => {
      const version = VERSION.exec(value)?.[1];
      return version !== undefined && NAME.test(name) ? [{ path, version: `v${version}` }] : [];
    },
  );
  const own = found.filter(({ path }) => path === 'main' || path === module || path.startsWith(`${module}/`));
  const meant = own.length > 0 ? own : found.filter(({ path }) => path.endsWith('/version'));
  const versions = new Set(meant.map(({ version }) => version));
  return versions.size === 1 ? [...versions][0] : undefined;
}

/** Go quotes values that have blanks in them; what matters of that are the quotes inside. */
function unquoted(text: string): string {
  return text.replace(/^"|"$/g, '').replaceAll('\\"', '"');
}
