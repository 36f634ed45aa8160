/** The vulnerable image of the journey: a root file system of Alpine Linux 3.20.3, 25 known vulnerabilities. */
export const ALPINE = 'alpine-minirootfs-3.20.3-x86_64.tar.gz';
export const ALPINE_ARCHIVE = 'alpine.tar';
export const ALPINE_VULNERABILITIES = 25;
/** Same release, another platform. */
export const ALPINE_ARM = 'alpine-minirootfs-3.20.3-aarch64.tar.gz';
