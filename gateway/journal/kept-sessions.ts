/**
 * Sessions (MQTT, clean session 0) that go on after their connection, and after this process: a client that is told of no
 * session drops what it has sent and was not answered for. Keys are HMACs, because a client's identifier can name a person.
 *
 *   sessions   HMAC of the key, cut(16) = connected last, s(4)
 */
import { nowUs } from '../process/clock.ts';
import type { Blind } from '../process/keys.ts';
import type { Table } from '../process/lmdb.ts';
import type { Round } from './committer.ts';
import { tables } from './layout.ts';
import { type JournalPart, settled } from './part.ts';

const keyBytes = 16;
/** Several times what connects to a gateway; the longest unused goes first. */
const sessionsMax = 50_000;
/** A session that is used is written anew once a day. */
const renewS = 86_400;

export class KeptSessions {
  readonly #part: JournalPart;
  readonly #blind: Blind;
  readonly #table: Table;
  /** Connected last, by the key in the table; the longest unused is first. */
  readonly #sessions: Map<string, number>;
  /** What is on its way to the disk: whoever asks for the same meanwhile waits for it, too. */
  readonly #coming = new Map<string, Promise<void>>();

  constructor(part: JournalPart, blind: Blind) {
    this.#part = part;
    this.#blind = blind;
    this.#table = part.environment.table(tables.sessions);
    const stored = Array.from(this.#table.getRange({}), ({ key, value }): [string, number] => [
      textOf(key),
      value.length === 4 ? value.readUInt32BE(0) : 0,
    ]);
    this.#sessions = new Map(stored.sort(([, one], [, other]) => one - other));
  }

  has(key: string): boolean {
    return this.#sessions.has(this.#name(key));
  }

  /** Resolves when it is durable that there is one. */
  async keep(key: string): Promise<void> {
    const name = this.#name(key);
    const [atS, nowS] = [this.#sessions.get(name), Math.floor(nowUs() / 1e6)];
    this.#sessions.delete(name);
    this.#sessions.set(name, nowS);
    if (atS !== undefined && Math.abs(nowS - atS) < renewS) return this.#coming.get(name);
    const round = this.#part.committer.round();
    const value = Buffer.allocUnsafe(4);
    value.writeUInt32BE(nowS);
    round.put(this.#table, bytesOf(name), value);
    for (const [oldest] of this.#sessions) {
      if (this.#sessions.size <= sessionsMax) break;
      this.#remove(round, oldest);
    }
    await this.#settled(name, round);
  }

  /** Resolves when it is durable that there is none. */
  async end(key: string): Promise<void> {
    const name = this.#name(key);
    if (!this.#sessions.has(name)) return this.#coming.get(name);
    const round = this.#part.committer.round();
    this.#remove(round, name);
    await this.#settled(name, round);
  }

  #settled(name: string, round: Round): Promise<void> {
    const coming = settled(round).finally(() => {
      if (this.#coming.get(name) === coming) this.#coming.delete(name);
    });
    this.#coming.set(name, coming);
    return coming;
  }

  #remove(round: Round, name: string): void {
    this.#sessions.delete(name);
    round.remove(this.#table, bytesOf(name));
  }

  #name(key: string): string {
    return textOf(this.#blind(`session|${key}`));
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.subarray(0, keyBytes)).toString('latin1');
}

function bytesOf(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}
