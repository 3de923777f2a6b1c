/**
 * What came on an MLLP port that is no MLLP: the first mistake when an interface is set up. It is told by its kind, with
 * what to do, and never by its content. Pure.
 */

export type Stray = 'tls' | 'http' | 'unframed-text' | 'bytes';

/** What is to be done about it. */
export const strayAdvice: Readonly<Record<Stray, string>> = {
  tls: 'the sender speaks TLS, and this listener is plain: set tls of the listener, or take TLS off at the sender',
  http: 'a browser, a probe or an HTTP client: this port is MLLP; probes belong on /healthz of the status port',
  'unframed-text':
    'HL7 without MLLP framing: the sender has to put VT before each message, FS and CR behind it',
  bytes: 'no MLLP: a frame begins with VT (0x0B); check what the sender speaks',
};

/** By how it begins; `chunk` is the first of a connection. */
export function strayKind(chunk: Buffer): Stray {
  // A handshake record, of any version [RFC 8446 5.1].
  if (chunk[0] === 0x16 && chunk[1] === 0x03) return 'tls';
  // VT is a blank to trimStart, and here the beginning of a frame.
  const text = chunk.toString('latin1', 0, 64).replace(/^[ \t\r\n]+/, '');
  if (
    /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|CONNECT|PATCH|TRACE|PRI) \S+( HTTP\/|$)/.test(
      text.split(/[\r\n]/, 1)[0] ?? '',
    )
  )
    return 'http';
  return /^(MSH|FHS|BHS)[^A-Za-z0-9\s]/.test(text) ? 'unframed-text' : 'bytes';
}

/** Nothing that follows could be a frame, and the peer waits for an answer of its own protocol. */
export function isHopeless(stray: Stray): boolean {
  return stray === 'tls' || stray === 'http';
}
