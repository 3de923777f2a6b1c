/**
 * What is in flight on one lane. Credit is counted in events and bytes and comes back with
 * cumulative acks; a single event larger than the credit may go when nothing else is out.
 */
export interface Credit {
  events: number;
  bytes: number;
}

interface Flight {
  through: number;
  events: number;
  bytes: number;
  /** For the latency of each event once it is acked. */
  capturedAtUs: number[];
  sentAtUs: number;
}

export class Window {
  credit: Credit = { events: 0, bytes: 0 };
  /** The next sequence to send. */
  next = 1;
  acked = 0;
  readonly #flights: Flight[] = [];
  #events = 0;
  #bytes = 0;

  /** A new session: everything after `acked` is sent again. */
  reset(acked: number, credit: Credit): void {
    this.acked = acked;
    this.next = acked + 1;
    this.credit = credit;
    this.#flights.length = 0;
    this.#events = 0;
    this.#bytes = 0;
  }

  room(): Credit {
    return { events: this.credit.events - this.#events, bytes: this.credit.bytes - this.#bytes };
  }

  bytes(): number {
    return this.#bytes;
  }

  idle(): boolean {
    return this.#events === 0;
  }

  sent(flight: Flight): void {
    this.#flights.push(flight);
    this.#events += flight.events;
    this.#bytes += flight.bytes;
    this.next = flight.through + 1;
  }

  /** The flights that this ack completes; undefined for a sequence that was never sent. */
  ack(sequence: number): Flight[] | undefined {
    if (sequence >= this.next) return undefined;
    const done: Flight[] = [];
    while (this.#flights[0] !== undefined && this.#flights[0].through <= sequence) {
      const flight = this.#flights.shift() as Flight;
      this.#events -= flight.events;
      this.#bytes -= flight.bytes;
      done.push(flight);
    }
    this.acked = Math.max(this.acked, sequence);
    return done;
  }
}
