/**
 * One MLLP connection to a destination: letters out, answers in. A letter that is due an answer is the last one out until
 * it is answered; those that are due none may follow each other while an objection to them may still come.
 *
 *   MSH-15 and MSH-16 empty      one answer is due, AA, AE or AR              [HL7 2.9, chapter 2: original mode]
 *   MSH-15 or MSH-16 AL or SU    one is due: the accept one (CA …) where MSH-15 asks for it, else the application's
 *   only NE and ER               none is due: sent is delivered, unless an answer says otherwise at once: in its window,
 *                                which begins when all of it was handed to the operating system
 *
 * An application's answer that comes after the accept one belongs to a letter that is settled: it is told, and never
 * taken for another letter's. While it may come, no letter of the same control ID goes out here: nobody could say whose
 * it is. Any other answer that nobody waits for means that the line is not to be trusted.
 *
 * A receiver that could not parse a letter has no MSH-10 for its MSA-2, or a part of it. Where one letter alone is out,
 * a refusal without a number of its own is of that one, unless it may be the late word on an earlier one. A positive
 * answer has to name its letter.
 *
 * Who does not answer in time may answer later. A line that was given up for that sends nothing more, and hears the answer
 * until it is closed: that of its letter alone, which tells a receiver that is slow from one that is silent.
 *
 * What comes and is no acknowledgment in a block is told as such: a mail server that takes connections is no receiver that
 * is silent. The codes with which a line fails stand in `status`, and are explained in ../destination-text.ts.
 */
import { connect, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import { serverNameOf } from '../../proto/address.ts';
import { elapsedMs } from '../process/clock.ts';
import { tlsReason } from '../process/line-reason.ts';
import { tlsSuites } from '../process/tls.ts';

/** PEM. */
export interface LineTls {
  /** Issuers; default: the public ones that Node knows. */
  ca?: Buffer;
  /** What the destination is shown, with its key. */
  cert?: Buffer;
  key?: Buffer;
  /** The name in its certificate; default: the host. */
  serverName?: string;
}

export interface LineOptions {
  host: string;
  port: number;
  tls: LineTls | false;
  timeoutMs: number;
}

export interface Answer {
  /** MSA-1; '' where none was due. */
  code: string;
  word: 'accepted' | 'error' | 'rejected';
}

/** What goes out. */
export interface Outgoing {
  raw: Uint8Array;
  messageControlId: string;
}

/** What is out. */
export interface Sent {
  due: 'one' | 'none';
  /** The operating system has it, or nothing is to be waited for any more: the next one may go. Never rejects. */
  handedOver: Promise<void>;
  /** What it asked for; where that is nothing, `accepted` when its window is over. @throws LineFailed */
  answer: Promise<Answer>;
}

export interface LineHooks {
  /** An application refused a letter after its accept answer had settled it. */
  onLate(answer: Answer): void;
  /** The letter that was given up is answered, so long after it was sent; once. */
  onOverdue(afterMs: number): void;
}

interface Waiter {
  due: 'one' | 'none';
  done: (outcome: Answer | LineFailed) => void;
}

export class LineFailed extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const VT = 0x0b;
const FS = 0x1c;
const CR = 0x0d;
const LF = 0x0a;
const answerBytesMax = 64 * 1024;
const connectMs = 10_000;
/** Where no answer is due: so long a refusal may still come before the letter counts as delivered. */
const objectionMs = 250;
/** Letters whose application's answer may still come, or that are known to be settled: those of some 10 seconds. */
const rememberedMax = 10_000;

export class Line {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #hooks: LineHooks;
  #received: Buffer = Buffer.alloc(0);
  /** By control ID, in the order of sending. */
  readonly #waiting = new Map<string, Waiter>();
  /** By control ID. */
  readonly #owed = new Set<string>();
  /** Control IDs of the letters that this line settled: what names one of them is not short for another. */
  readonly #settled = new Set<string>();
  /** Not answered in time. */
  #overdue: { controlId: string; sentMs: number } | undefined;

  /** @throws LineFailed */
  static open(options: LineOptions, hooks: LineHooks): Promise<Line> {
    const { host, port, tls, timeoutMs } = options;
    return new Promise((resolve, reject) => {
      const socket: Socket = tls ? secured(host, port, tls) : connect({ host, port });
      const timer = setTimeout(
        () => socket.destroy(new LineFailed('no-connection')),
        Math.min(timeoutMs, connectMs),
      );
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        resolve(new Line(socket, timeoutMs, hooks));
      });
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error instanceof LineFailed ? error : new LineFailed(tlsReason(error) ?? 'no-connection'));
      });
      socket.on('error', () => socket.destroy());
    });
  }

  private constructor(socket: Socket, timeoutMs: number, hooks: LineHooks) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    this.#hooks = hooks;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    // A destination that does not take our certificate says so when it has been connected to [RFC 8446, 4.4.2.4].
    socket.on('error', (error) => this.#fail(tlsReason(error) ?? this.#without('closed')));
    socket.on('close', () => this.#fail(this.#without('closed')));
  }

  get usable(): boolean {
    return !this.#socket.destroyed && this.#socket.writable && this.#overdue === undefined;
  }

  /** A word on an earlier letter of this control ID may still come. */
  owes(controlId: string): boolean {
    return this.#owed.has(controlId);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Not while one with the same control ID is out or owed an answer, or one that is due an answer is out. */
  send({ raw, messageControlId: controlId }: Outgoing): Sent {
    const due = answersDue(raw);
    let handOver = () => {};
    const handedOver = new Promise<void>((resolve) => {
      handOver = resolve;
    });
    const answer = new Promise<Answer>((resolve, reject) => {
      const sentMs = elapsedMs();
      let timer = setTimeout(() => {
        if (due === 'one') this.#overdue = { controlId, sentMs };
        done(new LineFailed(this.#without('no-answer')));
      }, this.#timeoutMs);
      const done = (outcome: Answer | LineFailed) => {
        clearTimeout(timer);
        this.#waiting.delete(controlId);
        handOver();
        if (outcome instanceof LineFailed) reject(outcome);
        else {
          remember(this.#settled, controlId);
          if (outcome.code.startsWith('C') || due === 'none') remember(this.#owed, controlId);
          resolve(outcome);
        }
      };
      const waiter = { due, done };
      this.#waiting.set(controlId, waiter);
      this.#socket.write(Buffer.concat([Buffer.of(VT), raw, Buffer.of(FS, CR)]), (error) => {
        handOver();
        if (error || due === 'one' || this.#waiting.get(controlId) !== waiter) return;
        clearTimeout(timer);
        timer = setTimeout(() => done({ code: '', word: 'accepted' }), objectionMs);
      });
    });
    return { due, handedOver, answer };
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    for (;;) {
      const end = this.#received.indexOf(FS);
      if (end < 0) break;
      const start = this.#received.indexOf(VT);
      const text = this.#received.toString('latin1', start < end ? start + 1 : 0, end);
      this.#received = this.#received.subarray(end + 1);
      this.#answered(text);
    }
    if (this.#received.length > answerBytesMax) this.#distrust(this.#without('answer-too-large'));
  }

  #answered(text: string): void {
    const answer = readAnswer(text);
    // A late answer to an earlier message must never be taken for another one's.
    const waiter = answer && (this.#waiting.get(answer.controlId) ?? this.#refusedWithoutNumber(answer));
    if (answer === undefined) this.#distrust('answer-unreadable');
    else if (waiter !== undefined) waiter.done(answer);
    else if (this.#isOverdue(answer)) this.close();
    else if (!this.#owed.delete(answer.controlId)) this.#distrust('answer-of-another-message');
    else if (answer.word !== 'accepted') this.#hooks.onLate(answer);
  }

  /** Certain only where no earlier letter of this line had that number. */
  #isOverdue({ controlId }: { controlId: string }): boolean {
    const overdue = this.#overdue;
    if (overdue?.controlId !== controlId) return false;
    if (this.#settled.has(controlId) || this.#owed.has(controlId)) return false;
    this.#hooks.onOverdue(elapsedMs() - overdue.sentMs);
    return true;
  }

  /** MSA-2 is empty, or the beginning of what was sent: cut off, or all that could be read. */
  #refusedWithoutNumber({ code, word, controlId }: Answer & { controlId: string }): Waiter | undefined {
    const [[waitingId, waiter] = ['', undefined], another] = this.#waiting;
    if (waiter === undefined || another !== undefined) return undefined;
    if (word === 'accepted' || !waitingId.startsWith(controlId)) return undefined;
    if (this.#settled.has(controlId) || this.#owed.has(controlId)) return undefined;
    // Accept answers come before a letter is settled; those of applications may be of any that is owed one.
    const itsOwn = this.#owed.size === 0 || (code.startsWith('C') && waiter.due === 'one');
    return itsOwn ? waiter : undefined;
  }

  /** Without an answer: `code`, unless what came is not even the beginning of a block. */
  #without(code: string): string {
    const garbage = !this.#received.includes(VT) && /\S/.test(this.#received.toString('latin1'));
    return garbage ? 'answer-unreadable' : code;
  }

  #distrust(code: string): void {
    this.#fail(code);
    this.#socket.destroy();
  }

  /** Nobody knows what became of those that are out. */
  #fail(code: string): void {
    for (const { done } of [...this.#waiting.values()]) done(new LineFailed(code));
  }
}

function secured(host: string, port: number, { ca, cert, key, serverName = host }: LineTls): Socket {
  return connectTls({
    host,
    port,
    ca,
    cert,
    key,
    servername: serverNameOf(serverName),
    ...tlsSuites,
    checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
  });
}

function remember(controlIds: Set<string>, controlId: string): void {
  const [oldest] = controlIds;
  if (oldest !== undefined && controlIds.size >= rememberedMax) controlIds.delete(oldest);
  controlIds.add(controlId);
}

/** What the first MSH of these bytes asks for in MSH-15 and MSH-16 [HL7 table 0155]. */
export function answersDue(raw: Uint8Array): 'one' | 'none' {
  const header = firstHeader(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength));
  if (header === undefined) return 'one';
  const fields = header.split(header.charAt(3));
  const [accept = '', application = ''] = [fields[14]?.trim(), fields[15]?.trim()];
  const valued = (condition: string) => condition !== '' && condition !== '""';
  const quiet = (condition: string) => !valued(condition) || /^(NE|ER)$/i.test(condition);
  return (valued(accept) || valued(application)) && quiet(accept) && quiet(application) ? 'none' : 'one';
}

/** Its MSH, whatever its length; batch headers stand before it. */
function firstHeader(bytes: Buffer): string | undefined {
  let at = bytes.indexOf('MSH');
  while (at > 0 && bytes[at - 1] !== CR && bytes[at - 1] !== LF) at = bytes.indexOf('MSH', at + 3);
  if (at < 0) return undefined;
  const ends = [bytes.indexOf(CR, at), bytes.indexOf(LF, at)].filter((end) => end >= 0);
  return bytes.toString('latin1', at, Math.min(bytes.length, ...ends));
}

/** MSA-1 and MSA-2 of an acknowledgment. */
function readAnswer(text: string): (Answer & { controlId: string }) | undefined {
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
