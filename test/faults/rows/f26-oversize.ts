/** F26: what is too large is cut off at its limit: memory does not move, and the others do not notice. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

const mebibyte = 1024 ** 2;

export const f26: Row = {
  id: 'F26',
  title: 'oversize on MLLP and MQTT',
  async run(context) {
    const rig = new Rig(context);
    await rig.start();
    const failures: string[] = [];
    await send(rig, { first: 0, count: 2_400, connections: 8 }).done;
    await rig.drained();
    const { before, sent } = await settled(rig, 2_400);
    const others = send(rig, { first: sent, count: 1_000, connections: 4 });
    const header = 'MSH|^~\\&|BIG|BIG|R|R|20260101||ORU^R01|BIG1|P|2.5.1\rOBX|1|TX|x||';
    const mllp = await pour(rig.mllpPort, Buffer.from(`\x0b${header}`, 'latin1'), 1024 * mebibyte);
    const noHeader = await pour(rig.mllpPort, Buffer.from('\x0b'), 100 * mebibyte);
    const connectMqtt = await pour(rig.mqttPort, Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), 256 * mebibyte);
    const publish = await pour(rig.mqttPort, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), 256 * mebibyte);
    await others.done;
    await rig.drained();
    const rise = anonymousMib(rig) - before;
    // A frame may be 16 MiB, an MQTT packet 1 MiB; what stands in socket buffers on the way is the kernel's.
    if (mllp.takenMib > 32) failures.push(`${mllp.takenMib.toFixed(0)} MiB of an MLLP frame were taken`);
    if (noHeader.takenMib > 32)
      failures.push(`${noHeader.takenMib.toFixed(0)} MiB without a header were taken`);
    if (connectMqtt.takenMib > 8)
      failures.push(`${connectMqtt.takenMib.toFixed(0)} MiB of a CONNECT were taken`);
    if (publish.takenMib > 8) failures.push(`${publish.takenMib.toFixed(0)} MiB before CONNECT were taken`);
    if (!mllp.answer.includes('MSA|AE|BIG1'))
      failures.push('the oversize message with a readable header was not answered AE');
    if (noHeader.answer !== '') failures.push('a block without a header was answered');
    if (rise > 64) failures.push(`memory rose by ${rise.toFixed(0)} MiB`);
    const checked = await rig.oracle();
    return {
      failures: [...failures, ...checked.failures],
      figures: `taken ${mllp.takenMib.toFixed(1)} / ${noHeader.takenMib.toFixed(1)} / ${connectMqtt.takenMib.toFixed(1)} / ${publish.takenMib.toFixed(1)} MiB, memory ${rise >= 0 ? '+' : ''}${rise.toFixed(0)} MiB, ${checked.summary}`,
    };
  },
};

/**
 * A process grows to its working size with its first messages, more or fewer of them as its garbage
 * collection falls; that is not the fault's doing. It has that size when a round adds next to nothing.
 */
async function settled(rig: Rig, first: number): Promise<{ before: number; sent: number }> {
  const round = 1_000;
  let before = anonymousMib(rig);
  for (let sent = first; ; sent += round) {
    await send(rig, { first: sent, count: round, connections: 8 }).done;
    await rig.drained();
    const now = anonymousMib(rig);
    if (now - before < 4 || sent > 12 * round) return { before: now, sent: sent + round };
    before = now;
  }
}

function anonymousMib(rig: Rig): number {
  const status = readFileSync(`/proc/${rig.gateway?.pid}/status`, 'utf8');
  return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

/** Pours bytes until the peer closes, at its pace; tells how many the peer's side took. */
function pour(port: number, head: Buffer, bytes: number): Promise<{ takenMib: number; answer: string }> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const chunk = Buffer.alloc(64 * 1024, 0x41);
    let answer = '';
    let left = bytes;
    const push = () => {
      while (left > 0 && !socket.destroyed) {
        left -= chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on('connect', () => {
      socket.write(head);
      push();
    });
    socket.on('drain', push);
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.on('close', () =>
      resolve({ takenMib: (socket.bytesWritten - socket.writableLength) / mebibyte, answer }),
    );
  });
}
