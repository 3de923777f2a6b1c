/**
 * Enrollment tokens: 128 random bits, kept hashed, good once and for minutes. Taking one is an
 * atomic compare-and-delete, so of many who race with one token exactly one wins.
 */
import { createHash, randomBytes } from 'node:crypto';
import { TokenRow } from '../../proto/gen/hilum/v1/store.ts';
import type { Store } from '../store/store.ts';

const secretBytes = 16;

export class Tokens {
  readonly #store: Store;
  /** Taken in this life: the delete may still be on its way to the disk when the next one comes. */
  readonly #taken = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The secret, hex; only its hash is kept. */
  async create(row: TokenRow): Promise<string> {
    const secret = randomBytes(secretBytes);
    await this.#store.write([{ table: 'tokens', key: digest(secret), value: TokenRow.encode(row).finish() }]);
    return secret.toString('hex');
  }

  /** What the token stands for, once; undefined for an unknown, used or expired one. */
  async take(secret: Uint8Array, nowUs: bigint): Promise<TokenRow | undefined> {
    const key = digest(secret);
    const name = key.toString('hex');
    if (this.#taken.has(name)) return undefined;
    const found = await this.#store.get('tokens', key);
    if (found === undefined || this.#taken.has(name)) return undefined;
    this.#taken.add(name);
    await this.#store.write([{ table: 'tokens', key, value: undefined }]);
    const row = TokenRow.decode(found);
    return row.expiresAtUs > nowUs ? row : undefined;
  }
}

function digest(secret: Uint8Array): Buffer {
  return createHash('sha256').update('hilum token v1').update(secret).digest();
}
