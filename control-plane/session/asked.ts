/** What gateways are asked over their sessions, and who waits for the answer. */
import type { PayloadReply, PlaneFrame, ReplayResult } from '../../proto/gen/hilum/v1/session.ts';

const requestTimeoutMs = 20_000;

type Reply = ReplayResult | PayloadReply;

export class Asked {
  /** false where the gateway is not connected. */
  readonly #send: (gateway: string, frame: PlaneFrame) => boolean;
  readonly #waiting = new Map<string, { gateway: string; resolve: (reply: Reply | undefined) => void }>();
  #requests = 0;

  constructor(send: (gateway: string, frame: PlaneFrame) => boolean) {
    this.#send = send;
  }

  /** Undefined when the gateway is not connected or does not answer in time. */
  ask(gateway: string, make: (request: string) => PlaneFrame): Promise<Reply | undefined> {
    this.#requests += 1;
    const request = `${gateway}-${this.#requests}`;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(request);
        resolve(undefined);
      }, requestTimeoutMs);
      this.#waiting.set(request, {
        gateway,
        resolve: (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
      });
      if (!this.#send(gateway, make(request))) this.#gone(request);
    });
  }

  /** Only the gateway that was asked can answer. */
  answered(gateway: string, reply: Reply): void {
    const waiter = this.#waiting.get(reply.request);
    if (waiter?.gateway !== gateway) return;
    this.#waiting.delete(reply.request);
    waiter.resolve(reply);
  }

  /** Its session ended: it answers nothing any more. */
  gone(gateway: string): void {
    for (const [request, waiter] of this.#waiting) if (waiter.gateway === gateway) this.#gone(request);
  }

  #gone(request: string): void {
    this.#waiting.get(request)?.resolve(undefined);
    this.#waiting.delete(request);
  }
}
