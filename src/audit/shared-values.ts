const FIRST_LIMIT = 10_000;

/** Values that many objects have in common, each kept once and found again by a text that says what they are. */
export class SharedValues<Value> {
  #values = new Map<string, Value>();
  #limit = FIRST_LIMIT;

  /** The value of that key; `make` is asked for it only the first time. */
  get(key: string, make: () => Value): Value {
    const held = this.#values.get(key);
    if (held !== undefined) return held;
    const made = make();
    this.#values.set(key, made);
    return made;
  }

  /** True when so much was added that a look at what is still in use pays. */
  get grown(): boolean {
    return this.#values.size > this.#limit;
  }

  /** Forgets what nobody uses any more. */
  keepOnly(used: ReadonlySet<Value>): void {
    for (const [key, value] of this.#values) if (!used.has(value)) this.#values.delete(key);
    this.#limit = Math.max(FIRST_LIMIT, this.#values.size * 2);
  }
}
