/**
 * Answers of one connection, in the order in which its publishes came [MQTT-4.6.0-2].
 *
 * aedes hands over a whole read chunk at once and acknowledges whatever calls back first. The place in
 * the line is therefore taken when a publish comes in, and an answer leaves when all before it have left.
 * After the first refusal nothing more is answered: the connection closes and the sender sends again.
 */
export class Answers {
  #line: (Answer | undefined)[] = [];
  #head = 0;
  #failed = false;
  bytes = 0;

  get length(): number {
    return this.#line.length - this.#head;
  }

  take(bytes: number, leave: (error?: Error) => void): Answer {
    const answer: Answer = { bytes, leave, settled: false, error: undefined };
    this.#line.push(answer);
    this.bytes += bytes;
    return answer;
  }

  settle(answer: Answer, error?: Error): void {
    answer.settled = true;
    answer.error = error;
    for (let next = this.#line[this.#head]; next?.settled; next = this.#line[this.#head]) {
      this.#line[this.#head++] = undefined;
      this.bytes -= next.bytes;
      if (this.#failed) continue;
      if (next.error) this.#failed = true;
      next.leave(next.error);
    }
    if (this.#head === this.#line.length) {
      this.#line = [];
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#line.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

export interface Answer {
  bytes: number;
  leave: (error?: Error) => void;
  settled: boolean;
  error: Error | undefined;
}
