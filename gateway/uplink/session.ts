/**
 * One session: one stream on one channel, from Hello to its end.
 *
 *   open ──Hello──► greeted ──Welcome in 5 s──► welcomed ──► ended
 *
 * - A peer that accepts and then says nothing is left: no Welcome in 5 s, no answer to a ping in 25 s.
 * - It ends once and for one reason; after that nothing is written and nothing is heard.
 * - How things stand is told at intervals, but never while the socket is full or the report before is still waiting for it:
 *   what was not told is not kept, the next report says all of it, and goes as soon as there is room.
 */
import type { GatewayFrame, PlaneFrame, UplinkClient } from '../../proto/gen/hilum/v1/session.ts';
import { openSession, type SessionCall } from './channel.ts';

const welcomeTimeoutMs = 5_000;
const beatEveryMs = 10_000;
const silenceMaxMs = 25_000;
const telemetryEveryMs = 2_000;

export type Frame = NonNullable<GatewayFrame['frame']>;

export interface SessionEvents {
  onFrame(frame: NonNullable<PlaneFrame['frame']>): void;
  /** The socket takes more again. */
  onDrain(): void;
  /** The peer is there: time for a ping. */
  onBeat(): void;
  /** Time to say how things stand. */
  onTelemetry(): void;
  /** Once. */
  onEnd(reason: string): void;
}

export class Session {
  /** The socket's buffer is full. */
  blocked = false;
  ended = false;
  readonly #client: UplinkClient;
  readonly #call: SessionCall;
  readonly #on: SessionEvents;
  readonly #timers: NodeJS.Timeout[];
  #heardAtMs = performance.now();
  #welcomedAtMs: number | undefined;
  /** Nobody ended it that could end the next one. */
  #innocent = false;
  /** A report was due while there was no room for it. */
  #reportDue = false;
  /** Frames written, those of them that the line has taken, and how many there were after the last report. */
  #written = 0;
  #taken = 0;
  #toldAt = 0;

  /** On a channel that is ready, which is closed at the session's end. */
  constructor(client: UplinkClient, on: SessionEvents) {
    this.#client = client;
    this.#on = on;
    const call = openSession(client);
    this.#call = call;
    call.on('data', ({ frame }: PlaneFrame) => {
      this.#heardAtMs = performance.now();
      if (frame !== undefined && !this.ended) on.onFrame(frame);
    });
    call.on('error', (error: { code?: number; details?: string }) => this.end(refusalWord(error.code)));
    call.on('end', () => this.end('ended-by-peer'));
    call.on('drain', () => {
      this.blocked = false;
      if (this.#reportDue) this.#report();
      on.onDrain();
    });
    this.#timers = [
      setTimeout(() => {
        if (!this.welcomed) this.end('no-welcome');
      }, welcomeTimeoutMs),
      setInterval(() => this.beat(), beatEveryMs),
      setInterval(() => this.#report(), telemetryEveryMs),
    ];
  }

  /** Nothing but Hello is sent before. */
  get welcomed(): boolean {
    return this.#welcomedAtMs !== undefined;
  }

  /** The Welcome came. */
  greeted(): void {
    this.#welcomedAtMs = performance.now();
  }

  /**
   * For the back-off: how long it was well from its Welcome on; 0 without one. A line that broke, and a control plane that
   * says that it goes, are no objection to this gateway, however soon they come: endless.
   */
  wellMs(): number {
    if (this.#welcomedAtMs === undefined) return 0;
    return this.#innocent ? Number.POSITIVE_INFINITY : performance.now() - this.#welcomedAtMs;
  }

  /** A frame, or the bytes of one. */
  write(frame: Frame | Buffer): void {
    if (this.ended) return;
    this.#written += 1;
    const taken = () => {
      this.#taken += 1;
      if (this.#reportDue) this.#report();
    };
    if (!this.#call.write(Buffer.isBuffer(frame) ? frame : { frame }, taken)) this.blocked = true;
  }

  beat(): void {
    if (this.ended) return;
    if (performance.now() - this.#heardAtMs > silenceMaxMs) this.end('peer-silent');
    else if (this.welcomed) this.#on.onBeat();
  }

  #report(): void {
    this.#reportDue = this.blocked || this.#taken < this.#toldAt;
    if (this.#reportDue || !this.welcomed || this.ended) return;
    this.#on.onTelemetry();
    this.#toldAt = this.#written;
  }

  /** Sends what was written, then ends; resolves when the peer has closed its side, or after `deadlineMs`. */
  async finish(reason: string, deadlineMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#call.once('status', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#call.end();
    });
    this.end(reason);
  }

  end(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.#innocent = innocent.has(reason);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#call.removeAllListeners();
    this.#call.on('error', () => {});
    this.#call.cancel();
    this.#client.close();
    this.#on.onEnd(reason);
  }
}

/** Ends of the line, and of a control plane that stops. */
const innocent: ReadonlySet<string> = new Set([
  'unavailable',
  'broken',
  'peer-silent',
  'control-plane-draining',
]);

/** A status code of gRPC as a word for status and log; details could quote anything and stay out. */
function refusalWord(code: number | undefined): string {
  const words: Record<number, string> = {
    3: 'invalid-argument',
    7: 'permission-denied',
    13: 'broken',
    14: 'unavailable',
    16: 'not-authenticated',
  };
  return words[code ?? -1] ?? `grpc-${code ?? 'unknown'}`;
}
