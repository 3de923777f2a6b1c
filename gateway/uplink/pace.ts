/**
 * How many bytes the lanes that can wait may have on the line together: what the line carries in a
 * moment beyond its own delay, found by watching how long acks take. A fast line opens it up to the
 * credit, a slow one closes it to a few packets, so the next STAT event is behind little of it.
 *
 *   ack within (best × factor + slack)   grow by what was acked
 *   ack later                            shrink, at most once for each round of acks
 *
 * While STAT events come, the line is kept nearly empty for them; while none do, it is kept full: closer pacing
 * all the time let intake outrun the drain, wider pacing all the time let a STAT event wait 66 ms and not 14.
 */
const startBytes = 256 * 1024;
const bytesMin = 32 * 1024;
const bytesMax = 4 * 1024 * 1024;
/** What may be added to the best ack. */
const close = { factor: 1.5, slackUs: 2_000 };
const wide = { factor: 2, slackUs: 40_000 };
/** So long after the last STAT event the next one is still expected. */
const urgentForUs = 5_000_000;
const shrink = 0.7;
/** The best ack is looked for anew, because routes change. */
const bestForUs = 60_000_000;

export class Pace {
  #limitBytes = startBytes;
  #bestUs = Number.POSITIVE_INFINITY;
  #bestAtUs = 0;
  #shrunkAtUs = 0;
  #urgentAtUs = Number.NEGATIVE_INFINITY;

  /** Bytes that may still be sent while `onLineBytes` are out. */
  room(onLineBytes: number): number {
    return this.#limitBytes - onLineBytes;
  }

  /** A STAT event was sent. */
  urgent(nowUs: number): void {
    // A full line has hidden what it could do: it empties once, and is measured anew while it fills.
    if (nowUs - this.#urgentAtUs > urgentForUs) {
      this.#limitBytes = bytesMin;
      this.#bestUs = Number.POSITIVE_INFINITY;
    }
    this.#urgentAtUs = nowUs;
  }

  /** A STAT event was sent lately: the next one is expected. */
  expectsUrgent(nowUs: number): boolean {
    return nowUs - this.#urgentAtUs < urgentForUs;
  }

  acked(bytes: number, tookUs: number, nowUs: number): void {
    if (tookUs < this.#bestUs || nowUs - this.#bestAtUs > bestForUs) {
      this.#bestUs = tookUs;
      this.#bestAtUs = nowUs;
    }
    const urgent = this.expectsUrgent(nowUs);
    const { factor, slackUs } = urgent ? close : wide;
    // Closely, one step for all that is on the line; else one for each ack, so that a good line is full at once.
    const growth = urgent ? (bytesMin * bytes) / this.#limitBytes : bytes / 4;
    if (tookUs <= this.#bestUs * factor + slackUs)
      this.#limitBytes = Math.min(bytesMax, this.#limitBytes + growth);
    else if (nowUs - this.#shrunkAtUs > tookUs) {
      this.#shrunkAtUs = nowUs;
      this.#limitBytes = Math.max(bytesMin, this.#limitBytes * shrink);
    }
  }
}
