/**
 * Delivery to one local MLLP destination: a durable queue, sent and settled in its order, so the destination sees
 * the source's. One that is due an answer has it before the next one is sent. Where none is due, the next ones follow
 * while an objection may still come: a bounded number of letters and bytes, of different control IDs. None of them is
 * settled before its window is over and those before it are settled; where the line breaks, or one of them is to be
 * tried again, all that are not settled are sent again, in order. After a failure they go one by one until one is taken.
 *
 *   AA / CA               delivered, the row goes
 *   AE / CE, AR / CR      the receiver's word on this message: tried again a few times
 *                         (AE, CE), then kept aside as a dead letter, so the queue goes on;
 *                         the pauses grow until it accepts one, for one that answers AE to
 *                         all of them is in trouble itself, and must not refuse its whole queue
 *   no answer, no line    tried again with back-off, for ever: the receiver may be down;
 *                         what is due, MSH-15 and MSH-16 of the message say (line.ts)
 *   MSA-2 of another      never taken for this message's answer: the connection is closed
 *   message               and the message is sent again; an alarm where it goes on so
 *   a refusal without     the receiver's word on the one that is out, as above (line.ts)
 *   MSA-2
 */
import { nowUs } from '../process/clock.ts';
import { tlsHint } from '../process/line-reason.ts';
import { DeadLetterLog } from './dead-letter-log.ts';
import { type Answer, Line, LineFailed, type LineOptions, type Outgoing, type Sent } from './line.ts';

export interface Letter extends Outgoing {
  /** Its name in its queue. */
  id: string;
  recordSequence: number;
  /** Its name in the config. */
  route: string;
}

/** How a letter was settled. */
export interface Told {
  /** Sends of this letter by this delivery. */
  attempts: number;
  /** MSA-1 of the last one. */
  answer: string;
}

export interface DeliveryQueue<L extends Letter> {
  /**
   * The oldest letter that is neither settled nor `out`, or undefined.
   * @param after the id of one; the oldest behind it
   */
  next(out: { has(id: string): boolean }, after: string | undefined): L | undefined;
  /** Resolves when its removal is durable. */
  delivered(letter: L, told: Told): Promise<void>;
  deadLetter(letter: L, told: Told): Promise<void>;
  /** Letters of records above this must wait: earlier ones are not normalized, or their letters not flushed yet. */
  normalizedThrough(): number;
}

export interface DeliveryOptions extends LineOptions {
  name: string;
  inSourceOrder: boolean;
}

export interface DeliveryHooks {
  random(): number;
  log(level: 'info' | 'warn', code: string, fields?: Record<string, string | number>): void;
  /** Somebody has to look at the receiver. */
  onAlarm(code: string, fields: Record<string, string | number>): void;
}

export interface DeliveryCounts {
  delivered: number;
  attempts: number;
  deadLetters: number;
  /** `connected` from a letter that is settled on, or for a first one; `waiting` from a failure, or a long silence, until one is. */
  state: 'idle' | 'connected' | 'waiting' | 'stopped';
}

/** Why and since when nothing is delivered. */
export interface Wait {
  /** Of the last failure: that of the line (line.ts), `application-error`, or `answer-late`: it answers after its timeout. */
  reason: string;
  /** The first failure since a letter was settled. */
  sinceUs: number;
  /** With `answer-late`: so long after it was sent the last message was answered; else 0. */
  answeredAfterMs: number;
}

const applicationErrorTries = 3;
/** A letter that is unanswered for so long waits, however long its destination may take for it. */
const patienceMs = 10_000;
/** Answers of another message to one letter, in a row. */
const mismatchesMax = 3;
/** Between the end of a line and the next one. */
const restMs = 50;
/** What may be out at a time, which is what is sent again where the line breaks. */
const outLettersMax = 256;
const outBytesMax = 4 * 1024 * 1024;

/** A letter that is out. */
interface Out<L> {
  letter: L;
  due: Sent['due'];
  handedOver: boolean;
  /** Undefined: none yet. */
  outcome: Answer | { failed: unknown } | undefined;
  /** Resolves when the outcome was taken. */
  over: Promise<void>;
}

export class Delivery<L extends Letter = Letter> {
  readonly counts: DeliveryCounts = { delivered: 0, attempts: 0, deadLetters: 0, state: 'idle' };
  readonly #queue: DeliveryQueue<L>;
  readonly #options: DeliveryOptions;
  readonly #hooks: DeliveryHooks;
  #line: Line | undefined;
  #busy = false;
  #stopped = false;
  /** By id, in the order of sending, which is that of settling. */
  readonly #out = new Map<string, Out<L>>();
  #outBytes = 0;
  /** The last one that was sent: those before it need not be looked through again. Undefined: from the oldest one. */
  #after: string | undefined;
  /** The answer of one is on its way to the disk. */
  #settling = false;
  #failures = 0;
  #errorTries = 0;
  #mismatches = 0;
  #wait: Wait | undefined;
  /** Given up without an answer, which may still be heard until the next line is opened. */
  #overdue: Line | undefined;
  /** After which a message was answered that had been given up; 0: none was since an answer in time, or another failure. */
  #lateMs = 0;
  /** In the pause that was, the same would have been heard again. */
  #listens = false;
  readonly #deadLetterLog: DeadLetterLog;
  /** By id, of letters that were sent and are not settled. */
  readonly #attempts = new Map<string, number>();
  #retry: NodeJS.Timeout | undefined;

  constructor(queue: DeliveryQueue<L>, options: DeliveryOptions, hooks: DeliveryHooks) {
    this.#queue = queue;
    this.#options = options;
    this.#hooks = hooks;
    this.#deadLetterLog = new DeadLetterLog(options.name, (...line) => hooks.log(...line));
  }

  /** Undefined where it is delivered, or nobody knows yet. */
  get wait(): Wait | undefined {
    return this.#wait;
  }

  /** There may be something to deliver. */
  notify(): void {
    // An urgent one may stand before those that were sent.
    if (!this.#options.inSourceOrder) this.#after = undefined;
    this.#goOn();
  }

  /**
   * Sends nothing more, and resolves when the windows that have begun are over, soon. One that waits for its answer is
   * given up, and stays in its queue.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.counts.state = 'stopped';
    clearTimeout(this.#retry);
    const windows = [...this.#out.values()].filter((out) => out.due === 'none' && out.handedOver);
    await Promise.all(windows.map(({ over }) => over));
    this.#line?.close();
    this.#overdue?.close();
    this.#deadLetterLog.stop();
  }

  #goOn(): void {
    if (this.#busy || this.#stopped || this.#retry !== undefined) return;
    void this.#send();
  }

  /** Sends what may go out now; what is settled later calls for the next ones. Never rejects. */
  async #send(): Promise<void> {
    this.#busy = true;
    try {
      for (;;) {
        const letter = this.#stopped ? undefined : this.#next();
        if (letter === undefined) return;
        // Nothing is out where a line is to be opened.
        const line = this.#lineFor(letter) ?? (await this.#open());
        if (this.#stopped) {
          line.close();
          return;
        }
        await this.#sendOn(line, letter);
        if (this.#retry !== undefined) return;
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
    }
  }

  /** The next one; undefined where there is none, or it has to wait for what is out. */
  #next(): L | undefined {
    if (this.#settling || this.#out.size >= outLettersMax) return undefined;
    if (this.#out.size === 0) this.#after = undefined;
    // What is out on a broken line is about to fail.
    else if (this.#line?.usable !== true || this.#failures > 0) return undefined;
    for (const out of this.#out.values()) if (holdsUp(out)) return undefined;
    const letter = this.#queue.next(this.#out, this.#after);
    if (letter === undefined || this.#out.size === 0) return this.#mayGo(letter) ? letter : undefined;
    if (this.#outBytes + letter.raw.length > outBytesMax || this.#lineFor(letter) === undefined)
      return undefined;
    // An answer names one of them.
    for (const out of this.#out.values())
      if (out.letter.messageControlId === letter.messageControlId) return undefined;
    return this.#mayGo(letter) ? letter : undefined;
  }

  /** The line that there is. One that owes a word on another letter of this control ID is left for a new one. */
  #lineFor({ messageControlId }: L): Line | undefined {
    return this.#line?.usable && !this.#line.owes(messageControlId) ? this.#line : undefined;
  }

  #mayGo(letter: L | undefined): boolean {
    if (letter === undefined || !this.#options.inSourceOrder) return true;
    return letter.recordSequence <= this.#queue.normalizedThrough();
  }

  /** Resolves when the next one may be thought of. */
  async #sendOn(line: Line, letter: L): Promise<void> {
    this.counts.attempts += 1;
    this.#attempts.set(letter.id, (this.#attempts.get(letter.id) ?? 0) + 1);
    const { due, handedOver, answer } = line.send(letter);
    const out: Out<L> = { letter, due, handedOver: false, outcome: undefined, over: Promise.resolve() };
    this.#out.set(letter.id, out);
    this.#outBytes += letter.raw.length;
    this.#after = letter.id;
    out.over = this.#answered(answer).then(
      (outcome) => this.#came(out, outcome),
      (failed) => this.#came(out, { failed }),
    );
    await handedOver;
    out.handedOver = true;
  }

  #came(out: Out<L>, outcome: NonNullable<Out<L>['outcome']>): void {
    out.outcome = outcome;
    for (const first of this.#out.values()) {
      if (first.outcome === undefined) break;
      if ('failed' in first.outcome) this.#fail(first.outcome.failed);
      else if (!this.#settle(first, first.outcome)) this.#fail(new LineFailed('application-error'));
    }
    this.#goOn();
  }

  /** Who accepts connections and answers nothing is not there. */
  async #answered(sent: Promise<Answer>): Promise<Answer> {
    const timer = setTimeout(() => this.#waits('no-answer'), patienceMs);
    timer.unref();
    try {
      return await sent;
    } finally {
      clearTimeout(timer);
    }
  }

  #waits(failure: string): void {
    if (this.#stopped) return;
    if (failure !== 'no-answer') this.#lateMs = 0;
    this.counts.state = 'waiting';
    this.#wait = {
      reason: this.#lateMs > 0 ? 'answer-late' : failure,
      sinceUs: this.#wait?.sinceUs ?? nowUs(),
      answeredAfterMs: this.#lateMs,
    };
  }

  /** Its answer is no use any more, and says that it takes longer than it has. */
  #answeredLate(afterMs: number): void {
    if (this.#stopped || this.#wait === undefined) return;
    const { name, timeoutMs } = this.#options;
    const known = this.#lateMs > 0;
    this.#lateMs = Math.ceil(afterMs);
    this.#listens = false;
    this.#waits('no-answer');
    if (known) return;
    const hint = `Raise destinations.${name}.timeout in the config.`;
    const fields = { destination: name, answeredAfterMs: this.#lateMs, timeoutMs, hint };
    this.#hooks.log('warn', 'delivery-answered-late', fields);
  }

  #goesWell(): void {
    this.#wait = undefined;
    this.#lateMs = 0;
    if (!this.#stopped) this.counts.state = 'connected';
  }

  /** False: it is to be tried again. */
  #settle({ letter, due }: Out<L>, { code, word }: Answer): boolean {
    this.#mismatches = 0;
    const accepted = word === 'accepted';
    if (!accepted) {
      this.#errorTries += 1;
      if (word === 'error' && this.#errorTries < applicationErrorTries) return false;
    }
    const told = { attempts: this.#attempts.get(letter.id) ?? 0, answer: code };
    this.#out.delete(letter.id);
    this.#outBytes -= letter.raw.length;
    this.#attempts.delete(letter.id);
    this.#errorTries = 0;
    this.#goesWell();
    if (accepted) this.#failures = 0;
    else {
      this.counts.deadLetters += 1;
      this.#deadLetterLog.note(letter.route, word, letter.recordSequence);
    }
    const settled = accepted ? this.#queue.delivered(letter, told) : this.#queue.deadLetter(letter, told);
    if (due === 'one') this.#settling = true;
    const over = () => {
      if (due === 'one') this.#settling = false;
      this.#goOn();
    };
    settled.then(
      () => {
        if (accepted) this.counts.delivered += 1;
        over();
      },
      // A fault of the commit ends the process by itself.
      over,
    );
    return true;
  }

  /** What is out is sent again, in order. */
  #fail(error: unknown): void {
    const slow = error instanceof LineFailed && error.code === 'no-answer' && !this.#stopped;
    if (slow) this.#overdue = this.#line;
    else this.#line?.close();
    this.#line = undefined;
    this.#out.clear();
    this.#outBytes = 0;
    this.#after = undefined;
    if (!this.#stopped && this.#retry === undefined)
      this.#later(error instanceof LineFailed ? error.code : 'no-connection');
  }

  #later(failure: string): void {
    // It answered late once, and is silent now.
    if (this.#listens) this.#lateMs = 0;
    this.#waits(failure);
    const reason = this.#wait?.reason ?? failure;
    // No back-off mends a receiver that names another message: it goes on, and the site is told once.
    this.#mismatches = reason === 'answer-of-another-message' ? this.#mismatches + 1 : 0;
    if (this.#mismatches === mismatchesMax)
      this.#hooks.onAlarm('destination-mismatched', { destination: this.#options.name });
    const againMs = pauseMs(reason, this.#failures, this.#hooks.random());
    this.#failures += 1;
    const { name, timeoutMs } = this.#options;
    this.#listens = this.#lateMs > 0 && againMs - restMs > 2 * (this.#lateMs - timeoutMs);
    const hint = tlsHint(reason, name);
    const fields = { destination: name, reason, againMs, ...(hint === undefined ? {} : { hint }) };
    this.#hooks.log('warn', 'delivery-failed', fields);
    // Closed some time before the next one is opened: a receiver may have room for one only.
    const overdue = this.#overdue;
    setTimeout(() => overdue?.close(), againMs - restMs).unref();
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#goOn();
    }, againMs);
  }

  async #open(): Promise<Line> {
    const { name } = this.#options;
    this.#line?.close();
    const line = await Line.open(this.#options, {
      onLate: ({ code }) =>
        this.#hooks.log('warn', 'delivery-refused-late', { destination: name, answer: code }),
      onOverdue: (afterMs) => this.#answeredLate(afterMs),
    });
    this.#line = line;
    // One that takes connections has answered nothing yet.
    if (this.counts.state === 'idle') this.#goesWell();
    return line;
  }
}

/** One that waits for its answer, or that is to be sent again: none may overtake it. */
function holdsUp({ due, outcome }: Pick<Out<Letter>, 'due' | 'outcome'>): boolean {
  if (outcome === undefined) return due === 'one';
  return 'failed' in outcome || outcome.word === 'error';
}

/**
 * A line that broke is tried again at once, then less and less often. A receiver that answers with an error gets seconds
 * before the next of its few tries: it may be locked for a moment, and what it refuses three times is kept aside.
 */
function pauseMs(reason: string, failures: number, random: number): number {
  const grown = 2 ** Math.min(failures, 10);
  if (reason !== 'application-error') return restMs + Math.floor(random * Math.min(30_000, 250 * grown));
  const half = Math.min(15_000, 1_000 * grown);
  return half + Math.floor(random * half);
}
