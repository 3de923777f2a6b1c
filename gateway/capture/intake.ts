/**
 * What capture needs of the journal, and what it hands over.
 *
 * A source is answered after `append` has settled, never before: a resolved receipt
 * means that the record is on stable storage. Receipts settle in the order of the calls.
 * A rejected append is never answered positively; the protocol's own refusal is used
 * (MLLP: close, MQTT: close without PUBACK, HTTP: 503).
 */
import type { Class } from '../../proto/config/event-words.ts';

export interface Intake {
  /** Rejects with `IntakeRefused` when nothing was journaled: reserve, budget, draining or a storage fault. */
  append(draft: RecordDraft): Promise<Receipt>;
  /** Forgets a repeat key durably (MQTT QoS 2: at PUBREL, before PUBCOMP). */
  release(key: string): Promise<void>;
  readonly sessions: Sessions;
}

/** Sessions that outlive their connection, and this process (MQTT, clean session 0). */
export interface Sessions {
  has(key: string): boolean;
  /** Resolves when it is durable that there is one. */
  keep(key: string): Promise<void>;
  /** Resolves when it is durable that there is none. */
  end(key: string): Promise<void>;
}

export type { Class };

/** One message off the wire: the bytes between the framing, and what capture's own look at them told. */
export interface RecordDraft {
  source: string;
  protocol: 'mllp' | 'mqtt' | 'http' | 'file';
  raw: Uint8Array;
  /** Microseconds since 1970: when the last byte had come. */
  capturedAtUs: bigint;
  /** A cheap guess; normalization has the last word. */
  classGuess: Class;
  messageControlId: string;
  /** Absent: the record is never a repeat. */
  repeat?: RepeatKey;
  topic?: string;
  client?: string;
  qos?: number;
  will?: boolean;
  /** The last message of a census file. */
  censusEnd?: boolean;
}

export interface RepeatKey {
  /** The scope in which a repeat is looked for; kept under an HMAC only. */
  key: string;
  /** false: remember the key, but never take this record for a repeat (MQTT QoS 1 without DUP). */
  consult: boolean;
  /** Same bytes inside the window are a repeat; later they are a `resend`. `released`: until release(), whatever the bytes. */
  window: { ms: number } | 'released';
  /** Other bytes under the same key are a conflict, flagged (MSH-10); else the key is simply taken over (packet ids). */
  otherBytes: 'conflict' | 'replace';
}

export interface Receipt {
  outcome: 'journaled' | 'repeat';
  /** Of the record, or of the record that this one repeats. */
  sequence: bigint;
}

/** The journal took nothing; the sender must not be told otherwise. */
export class IntakeRefused extends Error {
  readonly code: 'reserve' | 'budget' | 'draining' | 'fault';
  constructor(code: IntakeRefused['code'], message: string) {
    super(message);
    this.name = 'IntakeRefused';
    this.code = code;
  }
}
