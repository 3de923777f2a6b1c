/**
 * Delivery to one local MLLP destination: a durable queue, its head sent and answered before
 * the next one, so the destination sees the source's order.
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
import { type Answer, Line, LineFailed, type LineOptions, type Outgoing } from './line.ts';

export interface Letter extends Outgoing {
  recordSequence: number;
}

/** How a letter was settled. */
export interface Told {
  /** Sends of this letter by this delivery. */
  attempts: number;
  /** MSA-1 of the last one. */
  answer: string;
}

export interface DeliveryQueue {
  /** The oldest letter, or undefined. */
  head(): Letter | undefined;
  /** Resolves when its removal is durable. */
  delivered(letter: Letter, told: Told): Promise<void>;
  deadLetter(letter: Letter, told: Told): Promise<void>;
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
  /** `connected` from an answer on, or for a first letter; `waiting` from a failure, or a long silence, until one comes. */
  state: 'idle' | 'connected' | 'waiting' | 'stopped';
}

const applicationErrorTries = 3;
/** A letter that is unanswered for so long waits, however long its destination may take for it. */
const patienceMs = 10_000;
/** Answers of another message to one letter, in a row. */
const mismatchesMax = 3;

export class Delivery {
  readonly counts: DeliveryCounts = { delivered: 0, attempts: 0, deadLetters: 0, state: 'idle' };
  readonly #queue: DeliveryQueue;
  readonly #options: DeliveryOptions;
  readonly #hooks: DeliveryHooks;
  #line: Line | undefined;
  #busy = false;
  #stopped = false;
  #failures = 0;
  #errorTries = 0;
  #mismatches = 0;
  /** The last letter was refused for good: a receiver that refuses all of them has one line in the log. */
  #refusing = false;
  /** Of the letter in hand. */
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(queue: DeliveryQueue, options: DeliveryOptions, hooks: DeliveryHooks) {
    this.#queue = queue;
    this.#options = options;
    this.#hooks = hooks;
  }

  /** There may be something to deliver. */
  notify(): void {
    if (this.#busy || this.#stopped || this.#retry !== undefined) return;
    this.#busy = true;
    void this.#run().finally(() => {
      this.#busy = false;
    });
  }

  /** The letter in hand is finished or given up; then it stays in its queue. */
  stop(): void {
    this.#stopped = true;
    this.counts.state = 'stopped';
    clearTimeout(this.#retry);
    this.#line?.close();
  }

  async #run(): Promise<void> {
    for (;;) {
      const letter = this.#stopped ? undefined : this.#queue.head();
      if (letter === undefined) return;
      if (this.#options.inSourceOrder && letter.recordSequence > this.#queue.normalizedThrough()) return;
      try {
        const line = await this.#connected();
        if (this.#stopped) {
          line.close();
          return;
        }
        this.counts.attempts += 1;
        this.#attempts += 1;
        await this.#settle(letter, await this.#answered(line.send(letter)));
      } catch (error) {
        if (this.#stopped) return;
        this.#line?.close();
        this.#line = undefined;
        this.#later(error instanceof LineFailed ? error.code : 'no-connection');
        return;
      }
    }
  }

  /** Who accepts connections and answers nothing is not there. */
  async #answered(sent: Promise<Answer>): Promise<Answer> {
    const timer = setTimeout(() => this.#tell('waiting'), patienceMs);
    timer.unref();
    try {
      const answer = await sent;
      this.#tell('connected');
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  #tell(state: 'connected' | 'waiting'): void {
    if (!this.#stopped) this.counts.state = state;
  }

  async #settle(letter: Letter, { code, word }: Answer): Promise<void> {
    const told = { attempts: this.#attempts, answer: code };
    this.#mismatches = 0;
    if (word === 'accepted') {
      this.#attempts = 0;
      await this.#queue.delivered(letter, told);
      this.counts.delivered += 1;
      this.#failures = 0;
      this.#errorTries = 0;
      this.#refusing = false;
      return;
    }
    this.#errorTries += 1;
    if (word === 'error' && this.#errorTries < applicationErrorTries)
      throw new LineFailed('application-error');
    this.#errorTries = 0;
    this.#attempts = 0;
    this.counts.deadLetters += 1;
    if (!this.#refusing)
      this.#hooks.log('warn', 'delivery-dead-letter', { destination: this.#options.name, reason: word });
    this.#refusing = true;
    await this.#queue.deadLetter(letter, told);
  }

  #later(reason: string): void {
    this.#tell('waiting');
    // No back-off mends a receiver that names another message: it goes on, and the site is told once.
    this.#mismatches = reason === 'answer-of-another-message' ? this.#mismatches + 1 : 0;
    if (this.#mismatches === mismatchesMax)
      this.#hooks.onAlarm('destination-mismatched', { destination: this.#options.name });
    const capMs = Math.min(30_000, 250 * 2 ** Math.min(this.#failures, 10));
    const againMs = 50 + Math.floor(this.#hooks.random() * capMs);
    this.#failures += 1;
    this.#hooks.log('warn', 'delivery-failed', { destination: this.#options.name, reason, againMs });
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.notify();
    }, againMs);
  }

  async #connected(): Promise<Line> {
    if (this.#line?.usable) return this.#line;
    const { name } = this.#options;
    const line = await Line.open(this.#options, ({ code }) =>
      this.#hooks.log('warn', 'delivery-refused-late', { destination: name, answer: code }),
    );
    this.#line = line;
    // One that takes connections has answered nothing yet.
    if (this.counts.state === 'idle') this.#tell('connected');
    return line;
  }
}
