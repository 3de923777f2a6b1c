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
  if (alarm && high.test(text)) return 'stat';
  if (critical.test(text)) return 'stat';
  return alarm ? 'urgent' : 'routine';
}

/** A word as a text, or within an object or a list that begins there. */
function says(member: string, words: string): RegExp {
  const word = `"\\s*(?:${words})\\s*["^]`;
  return new RegExp(`"${member}"\\s*:\\s*(?:${word}|\\[[^\\]]{0,256}?${word}|\\{[^}]{0,256}?${word})`, 'i');
}

const high = says('priority', 'high');
/** Those of prioritize/defaults.ts, and what lies outside an instrument's range. */
const critical = says('interpretation', 'HH|LL|AA|C|CH|CL|CRIT|PANIC|HU|LU|>|<');
