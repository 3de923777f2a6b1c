/**
 * The limit of P6: reading MSH-9, MSH-10, PID-3, PID-5 and OBX-3, 5, 6 of every OBX by walking the bytes once,
 * with no tree and no copies but the strings asked for. One core, one thread. Prints one JSON line.
 *
 *   node lazy-read.js [--seconds 2]
 */
import { parseArgs } from 'node:util';
import { measure, messagesOf, type SetFigures, type SetName, setNames } from './message-sets.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } });

const carriageReturn = 0x0d;
const mshFields = [9, 10];
const pidFields = [3, 5];
const obxFields = [3, 5, 6];

/** The wanted fields, in order; the delimiter is the message's own. */
function lazyRead(message: Buffer, into: string[]): number {
  const separator = message[3]!;
  let count = 0;
  for (let at = 0; at < message.length; at += 1) {
    const wanted = wantedOf(message, at);
    if (!wanted) {
      at = message.indexOf(carriageReturn, at);
      if (at < 0) break;
      continue;
    }
    // In MSH the separator itself is MSH-1.
    let field = message[at] === 0x4d ? 1 : 0;
    at += 3;
    for (const index of wanted) {
      while (field < index && message[at] === separator) {
        field += 1;
        const start = at + 1;
        for (at = start; at < message.length; at += 1) {
          const byte = message[at];
          if (byte === separator || byte === carriageReturn) break;
        }
        if (field === index) into[count++] = message.toString('latin1', start, at);
      }
    }
    at = message.indexOf(carriageReturn, at);
    if (at < 0) break;
  }
  return count;
}

function wantedOf(message: Buffer, at: number): readonly number[] | undefined {
  const name = (message[at]! << 16) | (message[at + 1]! << 8) | message[at + 2]!;
  if (name === 0x4f4258) return obxFields;
  if (name === 0x504944) return pidFields;
  return name === 0x4d5348 ? mshFields : undefined;
}

const figures: Partial<Record<SetName, SetFigures>> = {};
const fields: string[] = [];
for (const set of setNames) {
  const messages = messagesOf(set);
  if (messages.length === 0) continue;
  figures[set] = await measure(messages, Number(values.seconds), 0.2, () => {
    for (const message of messages) lazyRead(message, fields);
  });
}
console.log(JSON.stringify({ bench: 'lazy-read', ...figures }));
