/**
 * Enrollment tokens: 128 random bits, kept hashed, good once and for minutes. Of many who race with one token exactly one
 * takes it, and it is gone in the write that makes what it was taken for: a crash before leaves it good.
 */
import { createHash, randomBytes } from 'node:crypto';
import { TokenRow } from '../../proto/gen/hilum/v1/store.ts';
import type { Row, Store } from '../store/store.ts';

const secretBytes = 16;

export class Tokens {
  readonly #store: Store;
  /** Taken in this life: what they are taken for may still be on its way to the disk when the next one comes. */
  readonly #taken = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The secret, hex, and the row that is to be written before anybody has it; only its hash is kept. */
  made(token: TokenRow): { secret: string; row: Row } {
    const secret = randomBytes(secretBytes);
    const row = { table: 'tokens', key: digest(secret), value: TokenRow.encode(token).finish() };
    return { secret: secret.toString('hex'), row };
  }

  /**
   * What the token stands for, once, and the row by which it is gone, to be written with what it is taken for; undefined
   * for an unknown, used or expired one.
   */
  async take(secret: Uint8Array, nowUs: bigint): Promise<{ token: TokenRow; used: Row } | undefined> {
    const key = digest(secret);
    const name = key.toString('hex');
    if (this.#taken.has(name)) return undefined;
    const found = await this.#store.get('tokens', key);
    if (found === undefined || this.#taken.has(name)) return undefined;
    this.#taken.add(name);
    const token = TokenRow.decode(found);
    const used = { table: 'tokens', key, value: undefined };
    if (token.expiresAtUs > nowUs) return { token, used };
    await this.#store.write([used]);
    return undefined;
  }
}

function digest(secret: Uint8Array): Buffer {
  return createHash('sha256').update('hilum token v1').update(secret).digest();
}
