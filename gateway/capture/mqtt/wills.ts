/**
 * Wills (MQTT 3.1.1 section 3.1.2.5). A will says that a device went away, not what became of its patient: it
 * is captured as such and never as `stat`. Nobody waits for its answer, so a will that is dropped is counted and told.
 */
import { PerMinute } from '../rate.ts';
import type { Done, Link, PublishPacket } from './link.ts';
import type { MqttPart } from './part.ts';

export class Wills {
  readonly #part: MqttPart;
  readonly #perClient: PerMinute;
  readonly #lines = new PerMinute(1);

  constructor(part: MqttPart) {
    this.#part = part;
    this.#perClient = new PerMinute(part.limits.willsPerMinuteMax);
  }

  take(link: Link, packet: PublishPacket, done: Done): void {
    const { options, counters, commits } = this.#part;
    // Our own stop is not the device's silence, and a flapping device must not flood.
    const stopping = this.#part.stopping();
    if (stopping || !this.#perClient.allow(link.clientId, this.#part.elapsedMs())) {
      counters.stats.willsDropped++;
      if (!stopping) this.#tell(link);
      done(new Error('will dropped'));
      return;
    }
    counters.stats.wills++;
    commits.append(
      () => {
        const payload = Buffer.from(packet.payload ?? '');
        const guess = options.classFor(packet.topic, payload);
        return {
          source: options.sourceFor(packet.topic),
          protocol: 'mqtt',
          raw: payload,
          capturedAtUs: this.#part.nowUs(),
          classGuess: guess === 'stat' ? 'urgent' : guess,
          messageControlId: '',
          topic: packet.topic,
          client: link.clientId,
          qos: packet.qos,
          will: true,
        };
      },
      () => {
        counters.stats.journaled++;
        done(null);
      },
      (error) => done(error),
    );
  }

  /** Once a minute for each client: the device goes on and off, and each time a will of it is lost. */
  #tell({ clientId, address }: Link): void {
    const { counters, limits } = this.#part;
    if (!this.#lines.allow(clientId, this.#part.elapsedMs())) return;
    counters.log('mqtt-will-dropped', { address, minuteMax: limits.willsPerMinuteMax });
  }
}
