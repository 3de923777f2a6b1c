/**
 * PUBLISH: judged, given its place in the line of answers, journaled, answered.
 *
 *     QoS 0   ─► commit                        nothing is answered
 *     QoS 1   ─► commit ─► PUBACK              repeats by DUP on a kept session (sessions.ts)
 *     QoS 2   ─► commit ─► stored ─► PUBREC    repeats by packet id until PUBREL (qos2.ts)
 *
 * Invariants: an answer leaves after the commit, in the order in which publishes came [MQTT-4.6.0-2]; what
 * is not journaled is not acknowledged, and closes the connection.
 */
import type { Receipt, RecordDraft } from '../intake.ts';
import type { Backpressure } from './backpressure.ts';
import type { Done, Link, PublishPacket } from './link.ts';
import type { MqttPart } from './part.ts';
import type { Qos2 } from './qos2.ts';
import { qos1Repeat, type Session } from './sessions.ts';
import { isTopicName } from './topic.ts';

export class Publishing {
  readonly #part: MqttPart;
  readonly #qos2: Qos2;
  readonly #backpressure: Backpressure;

  constructor(part: MqttPart, qos2: Qos2, backpressure: Backpressure) {
    this.#part = part;
    this.#qos2 = qos2;
    this.#backpressure = backpressure;
  }

  /** From a connection that was admitted. `done` without an error lets aedes acknowledge. */
  take(link: Link, packet: PublishPacket, done: Done): void {
    const refusal = this.#refusal(link, packet);
    if (refusal) {
      link.reason ??= refusal;
      done(new Error('publish refused')); // no PUBACK: [MQTT-3.3.5-2] leaves closing the connection
      return;
    }
    const payload = packet.payload as Buffer;
    // The place in the line is taken here, before anything that could wait [MQTT-4.6.0-2].
    const answer = link.answers.take(payload.length, (error) => {
      if (error) link.reason ??= 'commit';
      done(error ?? null);
    });
    const { counters, commits } = this.#part;
    counters.stats.received[packet.qos]++;
    this.#backpressure.add(link, payload.length);
    const settle = (error?: Error) => {
      this.#backpressure.remove(payload.length);
      link.answers.settle(answer, error);
      this.#backpressure.relieve();
    };
    commits.append(
      () => this.#draft(link, packet, payload),
      (receipt) => {
        this.#committed(link, packet, receipt);
        settle();
      },
      (error) => {
        if (packet.qos === 2) this.#qos2.refused(link, packet.messageId as number);
        settle(error);
      },
    );
  }

  #refusal(link: Link, packet: PublishPacket): string | undefined {
    if (!isTopicName(packet.topic, this.#part.limits.topicLevelsMax)) return this.#topicFault(link, packet);
    if (packet.qos > 0 && !((packet.messageId ?? 0) >= 1)) return 'malformed'; // [MQTT-2.3.1-1]
    if (!link.access?.mayPublish(packet.topic)) {
      const advice = 'allow the topic in "publish" of the user, or let the device publish where it may';
      link.told ??= { levels: packet.topic.split('/').length, advice };
      return 'acl';
    }
    if (packet.qos === 2 && !this.#qos2.makeRoom(link, packet.messageId as number)) return 'unreleased-limit';
    return undefined;
  }

  #topicFault(link: Link, { topic }: PublishPacket): string {
    const { topicLevelsMax: levelsMax } = this.#part.limits;
    const levels = topic.split('/').length;
    if (levels <= levelsMax) return 'topic';
    const advice = 'let the device publish to a topic of fewer levels';
    link.told ??= { levels, levelsMax, characters: topic.length, advice };
    return 'topic-levels';
  }

  #draft(link: Link, packet: PublishPacket, payload: Buffer): RecordDraft {
    const { options } = this.#part;
    const draft: RecordDraft = {
      source: options.sourceFor(packet.topic),
      protocol: 'mqtt',
      raw: payload,
      capturedAtUs: this.#part.nowUs(),
      classGuess: options.classFor(packet.topic, payload),
      messageControlId: '',
      topic: packet.topic,
      client: link.clientId,
      qos: packet.qos,
    };
    if (packet.qos === 1) {
      const session = link.session as Session;
      const repeat = qos1Repeat(options.name, session, packet.messageId as number, packet.dup);
      if (repeat) draft.repeat = repeat;
    } else if (packet.qos === 2) {
      draft.repeat = this.#qos2.open(link, packet, payload);
    }
    return draft;
  }

  #committed(link: Link, packet: PublishPacket, { outcome }: Receipt): void {
    const { stats } = this.#part.counters;
    if (outcome === 'journaled') {
      stats.journaled++;
      return;
    }
    stats.repeats++;
    if (packet.qos === 2) this.#qos2.stored(link, packet.messageId as number);
  }
}
