import { type Package, SYSTEM_PACKAGE_TYPES } from '../../model/inventory.ts';

const HEADERS =
  /^(?:kernel-headers|kernel-[\w-]*headers|linux-(?:[\w.+-]*-)?headers(?:-.*)?|linux-libc-dev(?:-.*)?|linux-glibc-devel|kernel-devel)$/;

/** True for packages that hold declarations of a kernel's interfaces: they carry its name and version, but no part of it runs. */
export function isKernelHeaders({ type, name }: Pick<Package, 'type' | 'name'>): boolean {
  return SYSTEM_PACKAGE_TYPES.has(type) && HEADERS.test(name);
}
