/**
 * Passwords of MQTT users: `scrypt$N$r$p$salt$hash`, salt and hash in base64.
 *
 * scrypt runs in libuv's thread pool, which LMDB's commits and every file operation share. A ward of
 * devices that reconnects at once must not hold up commits: verifications go through a narrow gate,
 * and a password that was right once is recognized by a keyed digest that never leaves the process.
 */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const COST = { N: 16_384, r: 8, p: 1 } as const;
const HASH_BYTES = 32;

export async function hashPassword(password: string | Uint8Array): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, COST.N, COST.r, COST.p, HASH_BYTES);
  return `scrypt$${COST.N}$${COST.r}$${COST.p}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** false also for a hash that is not ours; never throws for what a client sent. */
export async function verifyPassword(password: string | Uint8Array, stored: string): Promise<boolean> {
  const parsed = parseHash(stored);
  if (!parsed) return false;
  const got = await derive(password, parsed.salt, parsed.N, parsed.r, parsed.p, parsed.hash.length);
  return timingSafeEqual(got, parsed.hash);
}

export function isPasswordHash(stored: string): boolean {
  return parseHash(stored) !== undefined;
}

interface StoredHash {
  N: number;
  r: number;
  p: number;
  salt: Buffer;
  hash: Buffer;
}

function parseHash(stored: string): StoredHash | undefined {
  const parts = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/.exec(
    stored,
  );
  if (!parts) return undefined;
  const [N, r, p] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const salt = Buffer.from(parts[4] as string, 'base64');
  const hash = Buffer.from(parts[5] as string, 'base64');
  const usable = N >= 2 && N <= 1 << 20 && (N & (N - 1)) === 0 && r >= 1 && r <= 32 && p >= 1 && p <= 16;
  return usable && salt.length >= 8 && hash.length >= 16 && hash.length <= 64
    ? { N, r, p, salt, hash }
    : undefined;
}

function derive(
  password: string | Uint8Array,
  salt: Buffer,
  N: number,
  r: number,
  p: number,
  length: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { N, r, p, maxmem: 256 * N * r + 1024 * 1024 }, (err, key) =>
      err ? reject(err) : resolve(key),
    );
  });
}

/**
 * Bounded verification for one listener. `busy` means: ask again later, nothing was checked.
 *
 * Addresses take turns, and where no place is left the longest line yields its last one: whoever tries passwords waits
 * for itself, and no user is locked out by another address.
 */
export class PasswordGate {
  readonly #key = randomBytes(32);
  /** user → digest of the password that was last right, bound to the stored hash. */
  readonly #right = new Map<string, Buffer>();
  /** By address, in the order of their turns; an address without any has no line. */
  readonly #lines = new Map<string, Waiting[]>();
  #waiting = 0;
  #running = 0;
  readonly #runningMax: number;
  readonly #waitingMax: number;

  constructor(runningMax = 2, waitingMax = 512) {
    this.#runningMax = runningMax;
    this.#waitingMax = waitingMax;
  }

  async check(
    address: string,
    user: string,
    password: Uint8Array,
    stored: string,
  ): Promise<'right' | 'wrong' | 'busy'> {
    const digest = createHmac('sha256', this.#key).update(stored).update('\0').update(password).digest();
    const known = this.#right.get(user);
    if (known && timingSafeEqual(known, digest)) return 'right';
    if (!(await this.#enter(address))) return 'busy';
    try {
      if (!(await verifyPassword(password, stored))) return 'wrong';
      this.#right.set(user, digest);
      return 'right';
    } catch {
      return 'busy'; // scrypt itself failed (memory): nothing was decided about the password
    } finally {
      this.#leave();
    }
  }

  /** Resolves when it may run; with false where its place was needed. */
  async #enter(address: string): Promise<boolean> {
    if (this.#running < this.#runningMax) {
      this.#running++;
      return true;
    }
    if (this.#waiting >= this.#waitingMax && !this.#makeRoom(address)) return false;
    this.#waiting++;
    return await new Promise((resolve) => {
      const line = this.#lines.get(address);
      if (line) line.push(resolve);
      else this.#lines.set(address, [resolve]);
    });
  }

  /** false: no line is longer than its own would be. */
  #makeRoom(address: string): boolean {
    let longest: Waiting[] = [];
    for (const line of this.#lines.values()) if (line.length > longest.length) longest = line;
    if (longest.length <= (this.#lines.get(address)?.length ?? 0) + 1) return false;
    const last = longest.pop() as Waiting;
    this.#waiting--;
    last(false);
    return true;
  }

  #leave(): void {
    const [next] = this.#lines;
    if (next === undefined) {
      this.#running--;
      return;
    }
    const [address, line] = next;
    this.#lines.delete(address);
    const first = line.shift() as Waiting;
    if (line.length > 0) this.#lines.set(address, line);
    this.#waiting--;
    first(true);
  }
}

type Waiting = (mayRun: boolean) => void;
