/** A raw MQTT 3.1.1 client of the rows: one packet out, the next packet in. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { type ConnectOptions, connectPacket, MqttReader } from '../kit/mqtt-wire.ts';

export interface Packet {
  readonly type: number;
}

export interface MqttSession {
  /** Sends one packet and resolves with the next that comes, undefined when the broker closes. */
  exchange(packet: Buffer): Promise<Packet | undefined>;
  close(): void;
}

export async function mqttSession(port: number, options: ConnectOptions): Promise<MqttSession> {
  const socket = connect({ port, host: '127.0.0.1' });
  const packets: Packet[] = [];
  let waiting: ((packet: Packet | undefined) => void) | undefined;
  const reader = new MqttReader((type: number) => {
    const take = waiting;
    waiting = undefined;
    if (take === undefined) packets.push({ type });
    else take({ type });
  });
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  socket.on('error', () => socket.destroy());
  socket.on('close', () => waiting?.(undefined));
  await once(socket, 'connect');
  const exchange = (packet: Buffer): Promise<Packet | undefined> => {
    socket.write(packet);
    const ready = packets.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    return new Promise((resolve) => {
      waiting = resolve;
    });
  };
  await exchange(connectPacket(options));
  return { exchange, close: () => socket.destroy() };
}
