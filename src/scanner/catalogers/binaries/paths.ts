/** Names without an ending, or with one that programs and libraries have; what follows a dot and begins with a digit is a version. */
const NAME =
  /(?:^|\/)(?:[^/.]+|[^/]*\.(?:\d[^/.]*|so|exe|dll|dylib|elf|macho|bin|run|out|smp|node|pyd|plugin|static|linux|darwin|amd64|arm64|x86_64|aarch64|musl|gnu))$/;
/** Folders of manuals and data that are full of names without an ending. */
const NO_PROGRAMS = /(?:^|\/)share\/(?:doc|man|info|licenses|locale|zoneinfo|terminfo|bash-completion)\//;

/** True for paths that can be programs or shared libraries, wherever they lie. */
export function mayBeExecutable(path: string): boolean {
  return NAME.test(path) && !NO_PROGRAMS.test(path);
}
