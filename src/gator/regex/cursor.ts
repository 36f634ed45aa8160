/** A place in a regular expression. */
export class Cursor {
  readonly pattern: string;
  at = 0;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  get done(): boolean {
    return this.at >= this.pattern.length;
  }

  get rest(): string {
    return this.pattern.slice(this.at);
  }

  /** The next character, a whole one; empty at the end. */
  peek(): string {
    const code = this.pattern.codePointAt(this.at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  next(): string {
    const character = this.peek();
    this.at += character.length;
    return character;
  }

  /** Steps over a text when it comes next. */
  take(text: string): boolean {
    if (!this.pattern.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  takeUpTo(end: number, over: number): string {
    const text = this.pattern.slice(this.at, end);
    this.at = end + over;
    return text;
  }

  /** What was read since a place. */
  from(start: number): string {
    return this.pattern.slice(start, this.at);
  }
}
