/**
 * The default class guess for device payloads: a look at the bytes, no parsing. Normalization has the last word;
 * a guess that is too high costs a place in the line, one that is too low costs time, so doubt goes up.
 */
import type { Class } from '../intake.ts';

const LOOK_BYTES = 8 * 1024;

/** `stat`: a high-priority alarm or a critical flag; `urgent`: any alarm; else `routine`. */
export function guessClass(topic: string, payload: Uint8Array): Class {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, Math.min(payload.length, LOOK_BYTES));
  const mayAlarm = bytes.includes('"alarm');
  const alarming = /(^|\/)(alarms?|alerts?)(\/|$)/i.test(topic);
  if (!mayAlarm && !alarming && !bytes.includes('"interpretation"')) return 'routine';
  const text = bytes.toString('latin1');
  const alarm = alarming || (mayAlarm && /"alarms?"\s*:(?!\s*(?:null|false|""|\[\s*\]))/.test(text));
  if (alarm && /"priority"\s*:\s*"high"/i.test(text)) return 'stat';
  if (/"interpretation"\s*:\s*"(HH|LL|AA|HU|LU|>|<)"/.test(text)) return 'stat';
  return alarm ? 'urgent' : 'routine';
}
