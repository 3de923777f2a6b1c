/**
 * A stretch of a message seen through one separator: the components of a repetition, or the
 * subcomponents of a component. Reading in ascending order walks the stretch once.
 */
import { trimmed } from '../text.ts';
import type { Message } from './message.ts';

export class Parts {
  readonly message: Message;
  readonly start: number;
  readonly end: number;
  readonly separator: number;
  private index = 1;
  private at: number;
  private stop: number;

  constructor(message: Message, start: number, end: number, separator: number) {
    this.message = message;
    this.start = start;
    this.end = end;
    this.separator = separator;
    this.at = start;
    this.stop = -1;
  }

  get empty(): boolean {
    return this.start >= this.end;
  }

  /** Trimmed text of one part (from 1), without separators at its end. */
  text(part: number): string {
    return this.seek(part) ? trimmed(this.message.content(this.at, this.stop)) : '';
  }

  /** The whole stretch, separators and all, unescaped and not trimmed. */
  whole(): string {
    return this.empty ? '' : this.message.text(this.start, this.end);
  }

  /** The same without the separators at its end. */
  content(): string {
    return this.empty ? '' : this.message.content(this.start, this.end);
  }

  /** True where the part has at least one character. */
  has(part: number): boolean {
    return this.seek(part);
  }

  /** True where there are at least so many parts, empty ones counted. */
  reaches(part: number): boolean {
    this.seek(part);
    return this.index === part && !this.empty;
  }

  /** The part by its subcomponents. */
  sub(part: number): Parts {
    return this.within(part, this.message.by.subcomponent);
  }

  within(part: number, separator: number): Parts {
    if (!this.seek(part)) return new Parts(this.message, 0, 0, separator);
    return new Parts(this.message, this.at, this.stop, separator);
  }

  private seek(part: number): boolean {
    if (this.start >= this.end) return false;
    if (part < this.index) {
      this.index = 1;
      this.at = this.start;
      this.stop = -1;
    }
    if (this.stop < 0) this.stop = this.next(this.at);
    while (this.index < part) {
      if (this.stop >= this.end) return false;
      this.at = this.stop + 1;
      this.stop = this.next(this.at);
      this.index++;
    }
    return this.stop > this.at;
  }

  private next(from: number): number {
    const { bytes } = this.message;
    let at = from;
    while (at < this.end && bytes[at] !== this.separator) at++;
    return at;
  }
}
