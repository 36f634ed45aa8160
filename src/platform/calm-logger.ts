import type { Clock } from './clock.ts';
import { CodedError, messageOf } from './errors.ts';
import type { Logger } from './logger.ts';

const EVERY_MS = 60_000;
/** More different troubles than this at once are all said. */
const MOST_KEPT = 200;

/**
 * A logger that says a warning or error of the same message and cause once a minute, with `repeated` for those in between: what is broken for
 * all requests fills no disk. Errors of ours come without a trace of calls: they say what is wrong, and which line noticed it does not matter.
 */
export function calmLogger(logger: Logger, clock: Clock): Logger {
  const said = new Map<string, { readonly at: number; repeated: number }>();

  function calmly(level: 'warn' | 'error', given: object, message: string): void {
    const fields = withoutTrace(given);
    const key = `${level} ${message} ${causeOf(fields)}`;
    const now = clock.now();
    const last = said.get(key);
    if (last && now - last.at < EVERY_MS) {
      last.repeated += 1;
      return;
    }
    said.delete(key);
    said.set(key, { at: now, repeated: 0 });
    for (const oldest of said.keys()) {
      if (said.size <= MOST_KEPT) break;
      said.delete(oldest);
    }
    logger[level](last && last.repeated > 0 ? { ...fields, repeated: last.repeated } : fields, message);
  }

  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => calmly('warn', fields, message),
    error: (fields, message) => calmly('error', fields, message),
    child: (bindings) => calmLogger(logger.child(bindings), clock),
  };
}

function withoutTrace(fields: object): object {
  if (!('err' in fields) || !(fields.err instanceof CodedError)) return fields;
  const { err, ...others } = fields as { readonly err: CodedError<string> };
  return { ...others, error: err.message, code: err.code };
}

/** What tells entries of one message apart: their causes, not the things they happened to. */
function causeOf(fields: object): string {
  if ('err' in fields) return messageOf(fields.err);
  return 'error' in fields ? String(fields.error) : JSON.stringify(fields);
}
