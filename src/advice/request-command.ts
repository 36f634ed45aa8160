import { shellWord } from '../platform/shell-word.ts';
import type { ExceptionPart, Part } from './advice.ts';

/**
 * The commands that ask for the exceptions of a plan, those alike but for the vulnerability in one. Why it may run meanwhile is
 * for whoever asks to say.
 */
export function requestCommands(image: string, parts: readonly Part[]): readonly string[] {
  const exceptions = parts.filter((part) => part.kind === 'exception');
  const alike = Map.groupBy(exceptions, ({ rule, package: name, until }) => JSON.stringify([rule, name, until]));
  return [...alike.values()].map((same) => requestCommand(image, same));
}

function requestCommand(image: string, parts: readonly ExceptionPart[]): string {
  const [first] = parts;
  const options = [
    ['--rule', first?.rule],
    ['--digest', first?.digest],
    ['--package', first?.package],
    ['--until', first?.until],
  ];
  const words = [
    'breakwater',
    'exception',
    'request',
    image,
    ...parts.flatMap(({ vulnerability }) => vulnerability ?? []),
    ...options.flatMap(([option = '', value]) => (value === undefined ? [] : [option, value])),
  ];
  return `${words.map(shellWord).join(' ')} --reason "…"`;
}
