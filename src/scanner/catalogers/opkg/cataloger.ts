import { parseFileList } from '../dpkg/parse-file-list.ts';
import { parseStatus } from '../dpkg/parse-status.ts';
import type { Cataloger } from '../types.ts';

/** Where opkg keeps its database: OpenWrt, Yocto, and installations beside another system. */
const FOLDERS = ['usr/lib/opkg', 'var/lib/opkg', 'opt/lib/opkg'] as const;

/** The folders above may be links, so the end of the path decides; composing looks from the root. */
const DATABASE = /(?:^|\/)lib\/opkg\/status$/;
const FILE_LIST = /(?:^|\/)lib\/opkg\/info\/[^/]+\.list$/;

/** Packages of OpenWrt and of systems made with Yocto. Their database is written as dpkg's. */
export const opkgCataloger: Cataloger = {
  name: 'opkg',
  role: 'database',
  places: {
    files: FOLDERS.map((folder) => `${folder}/status`),
    folders: FOLDERS.map((folder) => `${folder}/info`),
  },
  largest: 16 * 1024 * 1024,
  wants: (path) => path.includes('lib/opkg/') && (DATABASE.test(path) || FILE_LIST.test(path)),
  catalog(path, file) {
    if (FILE_LIST.test(path)) return { owned: parseFileList(file.bytes()) };
    const { packages, problems } = parseStatus(file.bytes(), { fragment: false });
    return {
      // Their `Source` is a recipe or a folder, no package.
      packages: packages.map(({ name, version, arch }) => ({
        type: 'opkg',
        name,
        version,
        ...(arch === undefined ? {} : { arch }),
      })),
      problems,
    };
  },
};
