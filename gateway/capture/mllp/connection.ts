/**
 * One MLLP connection: a framer in front and a queue of answers behind. Answers leave in the order of the messages,
 * each when it is decided. Bounded are the time inside a frame, the idle time, and what comes after it is closing.
 */
import type { Socket } from 'node:net';
import type { Stream } from './flow.ts';
import { createFramer, type Framer, frame } from './framer.ts';
import { receive } from './message.ts';
import type { MllpPart } from './part.ts';
import { isHopeless, strayAdvice, strayKind } from './stray.ts';

/** One for each message in order. */
export interface Slot {
  /** Undefined: not decided yet. */
  answers: string[] | undefined;
}

/** After the last answer what the peer still sends is read and dropped this long: a reset would take the answer along. */
const lingerMs = 500;
/** More than that is of a sender that does not stop: it is not read any more. */
const lingerBytesMax = 4 * 1024 * 1024;
const keepAliveMs = 30_000;

export class Connection implements Stream {
  readonly socket: Socket;
  readonly address: string;
  readonly slots: Slot[] = [];
  closing = false;
  readonly #part: MllpPart;
  readonly #framer: Framer;
  #frameTimer: NodeJS.Timeout | undefined;
  /** Came after it was closing. */
  #droppedBytes = 0;
  /** Nothing has come yet. */
  #isFirst = true;
  /** A frame has begun on it. */
  #hasBegun = false;
  /** Of the framer's counts, what was counted already. */
  #strayBytes = 0;
  #brokenOff = 0;

  constructor(socket: Socket, part: MllpPart) {
    this.socket = socket;
    this.address = socket.remoteAddress ?? '';
    this.#part = part;
    this.#framer = createFramer(part.options.limits.frameBytesMax);
  }

  /** From here on what comes is read. */
  serve(): void {
    const { socket } = this;
    socket.setNoDelay(true);
    // A peer that is gone without a word gives its descriptor back.
    socket.setKeepAlive(true, keepAliveMs);
    // A reset is the peer's way of closing: what was answered stays answered.
    socket.on('error', () => socket.destroy());
    socket.setTimeout(this.#part.options.limits.idleTimeoutMs, () => this.close('mllp-idle'));
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    // A sender may close its half once it has sent; what it is owed still goes out.
    socket.on('end', () => this.closeAfterAnswers());
    socket.on('close', () => this.#endFrameTime());
  }

  /** The place of the next message's answers. */
  owe(): Slot {
    const slot: Slot = { answers: undefined };
    this.slots.push(slot);
    return slot;
  }

  /** Decides what a message is answered, and sends all that nothing undecided stands before. */
  answer(slot: Slot, answers: string[]): void {
    slot.answers = answers;
    if (this.socket.destroyed) return;
    const ready: Buffer[] = [];
    while (this.slots[0]?.answers !== undefined) {
      for (const block of this.slots.shift()?.answers ?? []) ready.push(frame(block));
    }
    this.#part.counters.answered += ready.length;
    if (ready.length === 1) this.socket.write(ready[0] as Buffer);
    else if (ready.length > 1) this.socket.write(Buffer.concat(ready));
    if (this.closing) this.#finish();
    else this.#part.flow.look(this);
  }

  /** Nothing more is journaled; answers that are owed still go out. */
  closeAfterAnswers(): void {
    this.closing = true;
    this.#finish();
  }

  /** At once. @param code of a line in the log; '' where there is one already */
  close(code: string): void {
    const { options, hooks } = this.#part;
    if (code !== '') hooks.log('info', code, { listener: options.name, address: this.address });
    this.closing = true;
    this.socket.destroy();
  }

  /** While it is not read its frame cannot go on. */
  onHeld(held: boolean): void {
    if (held) this.#endFrameTime();
    else this.#timeFrame();
  }

  onUnread(): void {
    this.close('mllp-answers-unread');
  }

  #read(chunk: Buffer): void {
    if (this.closing) {
      this.#droppedBytes += chunk.length;
      // Not destroyed: it may not have read what it is answered yet.
      if (this.#droppedBytes > lingerBytesMax) this.socket.pause();
      return;
    }
    // Before the framer: any of its bytes may be VT, as in nearly every TLS hello.
    if (this.#isFirst && isHopeless(strayKind(chunk))) {
      this.#part.counters.strayBytes += chunk.length;
      this.#outside(chunk);
      return;
    }
    this.#isFirst = false;
    const framer = this.#framer;
    const found = framer.push(chunk);
    if (found.length > 0 || framer.pendingBytes() > 0) this.#hasBegun = true;
    else if (!this.#hasBegun && framer.strayBytes() > this.#strayBytes) this.#outside(chunk);
    for (const framed of found) if (!this.closing) receive(this, framed, this.#part);
    const begunAgain = this.#count();
    // Each frame has its own time, also when the next one begins in the chunk that ended the last.
    if (found.length > 0 || begunAgain || framer.pendingBytes() === 0) this.#endFrameTime();
    this.#timeFrame();
    this.#part.flow.halfFrame(this, framer.pendingBytes());
    this.#part.flow.look(this);
  }

  /** What the framer passed over. True where a frame was broken off. */
  #count(): boolean {
    const { counters, lines } = this.#part;
    const [strayBytes, brokenOff] = [this.#framer.strayBytes(), this.#framer.brokenOff()];
    counters.strayBytes += strayBytes - this.#strayBytes;
    this.#strayBytes = strayBytes;
    if (brokenOff === this.#brokenOff) return false;
    // One line a connection is enough for a sender that always does it.
    if (this.#brokenOff === 0) lines.warn('mllp-broken-off', this.address);
    counters.brokenOff += brokenOff - this.#brokenOff;
    this.#brokenOff = brokenOff;
    return true;
  }

  /** No frame has begun, and something came: whoever set the sender up waits for an answer. */
  #outside(chunk: Buffer): void {
    const { counters, hooks, lines, refused } = this.#part;
    const seen = strayKind(chunk);
    lines.warnOnce('mllp-not-framed', seen, this.address, { seen, advice: strayAdvice[seen] });
    if (!isHopeless(seen)) return;
    counters.unreadable += 1;
    refused.note('protocol', hooks.nowUs(), { address: this.address, detail: seen });
    this.close('');
  }

  #timeFrame(): void {
    if (this.#framer.pendingBytes() === 0) return;
    const { frameTimeoutMs } = this.#part.options.limits;
    this.#frameTimer ??= setTimeout(() => this.close('mllp-frame-timeout'), frameTimeoutMs);
  }

  #endFrameTime(): void {
    clearTimeout(this.#frameTimer);
    this.#frameTimer = undefined;
  }

  #finish(): void {
    const { socket } = this;
    if (this.slots.length > 0 || socket.destroyed) return;
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  }
}
