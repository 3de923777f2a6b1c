/**
 * The enrollment token: address, CA pin and secret in one word that a person can paste.
 * `hilum1.` and base64url of JSON; the secret is 128 random bits and is kept hashed.
 */
import { z } from 'zod';
import { readAddress } from './address.ts';

export interface Token {
  /** host:port of the control plane's gRPC listener. */
  address: string;
  /** SHA-256 of the CA certificate (DER), hex. */
  caPin: string;
  /** hex */
  secret: string;
}

const prefix = 'hilum1.';
const shape = z.strictObject({
  a: z.string().refine((text) => readAddress(text) !== undefined),
  p: z.string().regex(/^[0-9a-f]{64}$/),
  s: z.string().regex(/^[0-9a-f]{32}$/),
});

export function writeToken(token: Token): string {
  const body = JSON.stringify({ a: token.address, p: token.caPin, s: token.secret });
  return prefix + Buffer.from(body).toString('base64url');
}

/** Undefined when the text is not a token. */
export function readToken(text: string): Token | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith(prefix)) return undefined;
  try {
    const { a, p, s } = shape.parse(
      JSON.parse(Buffer.from(trimmed.slice(prefix.length), 'base64url').toString()),
    );
    return { address: a, caPin: p, secret: s };
  } catch {
    return undefined;
  }
}
