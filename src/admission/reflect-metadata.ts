/**
 * The three functions of the Reflect metadata proposal that `@peculiar/x509` (through tsyringe) expects to find, on a
 * WeakMap. Must have run before that is loaded. An implementation that is there already is left alone.
 */
const kept = new WeakMap<object, Map<unknown, unknown>>();

function getOwnMetadata(key: unknown, target: object): unknown {
  return kept.get(target)?.get(key);
}

function getMetadata(key: unknown, target: object): unknown {
  for (let one: object | null = target; one !== null; one = Object.getPrototypeOf(one)) {
    const found = getOwnMetadata(key, one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const own = kept.get(target) ?? new Map<unknown, unknown>();
  kept.set(target, own.set(key, value));
}

if (!('getMetadata' in Reflect)) Object.assign(Reflect, { getMetadata, getOwnMetadata, defineMetadata });
