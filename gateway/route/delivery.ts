/**
 * Delivery to one local MLLP destination: a durable queue, its head sent and answered before
 * the next one, so the destination sees the source's order.
 *
 *   AA / CA               delivered, the row goes
 *   AE / CE, AR / CR      the receiver's word on this message: tried again a few times
 *                         (AE, CE), then kept aside as a dead letter, so the queue goes on;
 *                         the pauses grow until it accepts one, for one that answers AE to
 *                         all of them is in trouble itself, and must not refuse its whole queue
 *   no answer, no line    tried again with back-off, for ever: the receiver may be down
 *   MSA-2 of another      never taken for this message's answer: the connection is closed
 *   message               and the message is sent again
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Letter {
  raw: Uint8Array;
  messageControlId: string;
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

export interface DeliveryOptions {
  name: string;
  host: string;
  port: number;
  tls: boolean;
  timeoutMs: number;
  inSourceOrder: boolean;
}

export interface DeliveryHooks {
  random(): number;
  log(level: 'info' | 'warn', code: string, fields?: Record<string, string | number>): void;
}

export interface DeliveryCounts {
  delivered: number;
  attempts: number;
  deadLetters: number;
  state: 'idle' | 'connected' | 'waiting' | 'stopped';
}

const VT = 0x0b;
const FS = 0x1c;
const CR = 0x0d;
const answerBytesMax = 64 * 1024;
const applicationErrorTries = 3;

interface Answer {
  /** MSA-1 */
  code: string;
  word: 'accepted' | 'error' | 'rejected';
}

export class Delivery {
  readonly counts: DeliveryCounts = { delivered: 0, attempts: 0, deadLetters: 0, state: 'idle' };
  readonly #queue: DeliveryQueue;
  readonly #options: DeliveryOptions;
  readonly #hooks: DeliveryHooks;
  #socket: Socket | undefined;
  #busy = false;
  #stopped = false;
  #failures = 0;
  #errorTries = 0;
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

  /** The letter in hand is finished or given up; it stays in its queue. */
  stop(): void {
    this.#stopped = true;
    this.counts.state = 'stopped';
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  async #run(): Promise<void> {
    for (;;) {
      const letter = this.#queue.head();
      if (letter === undefined || this.#stopped) return;
      if (this.#options.inSourceOrder && letter.recordSequence > this.#queue.normalizedThrough()) return;
      try {
        this.counts.attempts += 1;
        this.#attempts += 1;
        const answer = await this.#send(letter);
        await this.#settle(letter, answer);
      } catch (error) {
        if (this.#stopped) return;
        this.#socket?.destroy();
        this.#socket = undefined;
        this.#later(error instanceof DeliveryFailed ? error.code : 'no-connection');
        return;
      }
    }
  }

  async #settle(letter: Letter, { code, word }: Answer): Promise<void> {
    const told = { attempts: this.#attempts, answer: code };
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
      throw new DeliveryFailed('application-error');
    this.#errorTries = 0;
    this.#attempts = 0;
    this.counts.deadLetters += 1;
    if (!this.#refusing)
      this.#hooks.log('warn', 'delivery-dead-letter', { destination: this.#options.name, reason: word });
    this.#refusing = true;
    await this.#queue.deadLetter(letter, told);
  }

  #later(reason: string): void {
    this.counts.state = 'waiting';
    const capMs = Math.min(30_000, 250 * 2 ** Math.min(this.#failures, 10));
    const againMs = 50 + Math.floor(this.#hooks.random() * capMs);
    this.#failures += 1;
    this.#hooks.log('warn', 'delivery-failed', { destination: this.#options.name, reason, againMs });
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.notify();
    }, againMs);
  }

  async #send(letter: Letter): Promise<Answer> {
    const socket = await this.#connected();
    return new Promise((resolve, reject) => {
      let received = Buffer.alloc(0);
      const timer = setTimeout(() => done(new DeliveryFailed('no-answer')), this.#options.timeoutMs);
      const done = (outcome: Answer | Error) => {
        clearTimeout(timer);
        socket.off('data', onData);
        socket.off('close', onClose);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const onClose = () => done(new DeliveryFailed('closed'));
      const onData = (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const end = received.indexOf(FS);
        if (end < 0) {
          if (received.length > answerBytesMax) done(new DeliveryFailed('answer-too-large'));
          return;
        }
        const start = received.indexOf(VT);
        const answer = readAnswer(received.toString('latin1', start + 1, end));
        // A late answer to an earlier message must never be taken for this one's.
        if (answer === undefined || answer.controlId !== letter.messageControlId) {
          done(new DeliveryFailed('answer-of-another-message'));
        } else done(answer);
      };
      socket.on('data', onData);
      socket.on('close', onClose);
      socket.write(Buffer.concat([Buffer.of(VT), letter.raw, Buffer.of(FS, CR)]));
    });
  }

  #connected(): Promise<Socket> {
    const open = this.#socket;
    if (open !== undefined && !open.destroyed && open.writable) return Promise.resolve(open);
    const { host, port, tls, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const socket: Socket = tls ? connectTls({ host, port, servername: host }) : connect({ host, port });
      const timer = setTimeout(
        () => socket.destroy(new DeliveryFailed('no-connection')),
        Math.min(timeoutMs, 10_000),
      );
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        this.#socket = socket;
        this.counts.state = 'connected';
        // What comes while nothing is owed is an answer too late: the line is not to be trusted.
        socket.on('data', () => {
          if (socket.listenerCount('data') === 1) socket.destroy();
        });
        resolve(socket);
      });
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.on('error', () => socket.destroy());
    });
  }
}

class DeliveryFailed extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** MSA-1 and MSA-2 of an acknowledgment. */
export function readAnswer(text: string): (Answer & { controlId: string }) | undefined {
  const separator = text.charAt(3);
  const msa = text.split(/[\r\n]+/).find((segment) => segment.startsWith(`MSA${separator}`));
  if (!text.startsWith('MSH') || msa === undefined) return undefined;
  const [, code = '', controlId = ''] = msa.split(separator);
  const words: Record<string, Answer['word']> = {
    AA: 'accepted',
    CA: 'accepted',
    AE: 'error',
    CE: 'error',
    AR: 'rejected',
    CR: 'rejected',
  };
  const word = words[code];
  return word === undefined ? undefined : { code, word, controlId };
}
