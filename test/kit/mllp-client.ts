/**
 * An MLLP sender as hospitals have them: keeps a connection or opens one per message, waits for its answers.
 *
 * Invariants: an answer belongs to the message whose MSH-10 equals its MSA-2 and to nothing else, whatever
 * the order in which answers come; an answer that fits no waiting message is kept in `strays`, never guessed
 * at; no more than `window` messages wait; a message without an answer ends in NoAnswer, never in silence.
 */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { type Acknowledgment, controlIdOf, readAcknowledgment } from './hl7-peek.ts';
import { Deframer, frame } from './mllp-frame.ts';

export interface MllpClientOptions {
  readonly host?: string;
  readonly port: number;
  readonly tls?: tls.ConnectionOptions;
  /** Messages that may wait for an answer at once; 1 is what most senders do. */
  readonly window?: number;
  readonly answerTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** Byte offsets inside a block at which it is cut into separate writes. */
  readonly split?: (block: Buffer) => readonly number[];
}

export interface Answer extends Acknowledgment {
  /** From the first byte handed to the socket to the answer's last byte. */
  readonly latencyMs: number;
}

/** A message went unanswered; it may or may not have been taken. */
export class NoAnswer extends Error {
  readonly controlId: string;
  readonly reason: 'closed' | 'timeout';

  constructor(controlId: string, reason: 'closed' | 'timeout', cause?: unknown) {
    super(`no answer to ${controlId}: ${reason}`, { cause });
    this.name = 'NoAnswer';
    this.controlId = controlId;
    this.reason = reason;
  }
}

interface Waiting {
  readonly controlId: string;
  readonly wanted: number;
  readonly answers: Answer[];
  readonly startedAt: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answers: Answer[]) => void;
  readonly reject: (reason: NoAnswer) => void;
}

export class MllpClient {
  readonly #options: MllpClientOptions;
  readonly #socket: net.Socket;
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #slots: (() => void)[] = [];
  #free: number;
  #fault: unknown;
  #writes: Promise<void> = Promise.resolve();

  /** Answers that fitted no waiting message: late, doubled or forged ones. */
  readonly strays: Acknowledgment[] = [];
  /** Settles when the connection is gone, however it ended. */
  readonly closed: Promise<void>;

  private constructor(options: MllpClientOptions, socket: net.Socket) {
    this.#options = options;
    this.#socket = socket;
    this.#free = options.window ?? 1;
    const deframer = new Deframer((message) => this.#take(message));
    socket.setNoDelay(true);
    socket.on('error', (error) => {
      this.#fault ??= error;
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        deframer.push(chunk);
      } catch (error) {
        this.#fault ??= error;
        socket.destroy();
      }
    });
    // A peer that sends FIN may answer no more: what waits must be told.
    socket.on('end', () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#abandon();
        resolve();
      });
    });
  }

  static async connect(options: MllpClientOptions): Promise<MllpClient> {
    const address = { host: options.host ?? '127.0.0.1', port: options.port };
    const socket = options.tls ? tls.connect({ ...address, ...options.tls }) : net.connect(address);
    const client = new MllpClient(options, socket);
    const signal = AbortSignal.timeout(options.connectTimeoutMs ?? 10_000);
    try {
      await once(socket, options.tls ? 'secureConnect' : 'connect', { signal });
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return client;
  }

  /** Sends one message (the bytes between the framing) and waits for its first answer. */
  async send(message: Buffer): Promise<Answer> {
    return (await this.sendForAnswers(message, 1))[0]!;
  }

  /** Sends one message and waits for that many answers to it (enhanced mode: CA, then AA). */
  async sendForAnswers(message: Buffer, count: number): Promise<Answer[]> {
    await this.#slot();
    try {
      return await this.#exchange(message, count);
    } finally {
      const next = this.#slots.shift();
      if (next) next();
      else this.#free += 1;
    }
  }

  /** Sends one message and waits for nothing (NE/NE). */
  async post(message: Buffer): Promise<void> {
    await this.#write(frame(message));
  }

  /** Writes bytes as they are: half blocks, no framing, rubbish. */
  async writeRaw(bytes: Buffer): Promise<void> {
    await this.#write(bytes);
  }

  /** How many messages wait for an answer now. */
  get waiting(): number {
    let count = 0;
    for (const same of this.#waiting.values()) count += same.length;
    return count;
  }

  get socket(): net.Socket {
    return this.#socket;
  }

  /** Ends politely (FIN) and waits until the connection is gone. */
  async close(): Promise<void> {
    this.#socket.end();
    const stop = setTimeout(() => this.#socket.destroy(), 2_000);
    await this.closed;
    clearTimeout(stop);
  }

  /** Ends at once, with RST where asked. */
  destroy(how: 'fin' | 'rst' = 'fin'): void {
    if (how === 'rst') this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  async #slot(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#slots.push(resolve));
  }

  #exchange(message: Buffer, wanted: number): Promise<Answer[]> {
    const controlId = controlIdOf(message);
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new NoAnswer(controlId, 'closed', this.#fault));
        return;
      }
      const timer = setTimeout(() => {
        this.#forget(waiting);
        reject(new NoAnswer(controlId, 'timeout'));
      }, this.#options.answerTimeoutMs ?? 30_000);
      const startedAt = performance.now();
      const waiting: Waiting = { controlId, wanted, answers: [], startedAt, timer, resolve, reject };
      const same = this.#waiting.get(controlId);
      if (same) same.push(waiting);
      else this.#waiting.set(controlId, [waiting]);
      // A failed write shows as the closing of the socket, which rejects whatever waits.
      this.#write(frame(message)).catch(() => {});
    });
  }

  // Blocks are written one after another, each cut where the options say; a turn of the event loop between
  // the pieces (and no Nagle) lets the receiver see them as separate reads.
  #write(block: Buffer): Promise<void> {
    const cuts = this.#options.split?.(block);
    if (!cuts || cuts.length === 0) {
      const done = this.#writes.then(() => this.#writePiece(block));
      this.#writes = done.catch(() => {});
      return done;
    }
    const done = this.#writes.then(async () => {
      const points = [...new Set(cuts)].filter((at) => at > 0 && at < block.length).sort((a, b) => a - b);
      let from = 0;
      for (const to of [...points, block.length]) {
        await this.#writePiece(block.subarray(from, to));
        await new Promise((resolve) => setImmediate(resolve));
        from = to;
      }
    });
    this.#writes = done.catch(() => {});
    return done;
  }

  #writePiece(piece: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }

  #take(message: Buffer): void {
    // The deframer's view dies with the next chunk; an answer is kept.
    const acknowledgment = readAcknowledgment(Buffer.from(message));
    const waiting = this.#waiting.get(acknowledgment.controlId)?.[0];
    if (!waiting) {
      this.strays.push(acknowledgment);
      return;
    }
    waiting.answers.push({ ...acknowledgment, latencyMs: performance.now() - waiting.startedAt });
    if (waiting.answers.length < waiting.wanted) return;
    this.#forget(waiting);
    waiting.resolve(waiting.answers);
  }

  #forget(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    const left = this.#waiting.get(waiting.controlId)?.filter((other) => other !== waiting) ?? [];
    if (left.length > 0) this.#waiting.set(waiting.controlId, left);
    else this.#waiting.delete(waiting.controlId);
  }

  #abandon(): void {
    const all = [...this.#waiting.values()].flat();
    for (const waiting of all) {
      this.#forget(waiting);
      waiting.reject(new NoAnswer(waiting.controlId, 'closed', this.#fault));
    }
  }
}

/** One connection for one message, as many laboratory devices do it. */
export async function sendOnce(options: MllpClientOptions, message: Buffer): Promise<Answer> {
  const client = await MllpClient.connect(options);
  try {
    return await client.send(message);
  } finally {
    await client.close();
  }
}
