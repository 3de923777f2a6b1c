/**
 * To which control plane the events of an epoch go, known by its CA. One that this gateway is moved to has none of what was
 * delivered before: a new epoch begins with it, what was delivered elsewhere is told apart from what it should have, and
 * it is told again what stands in quarantine. Back at an earlier one, what that one took counts again.
 *
 *   state row 4 epoch(8) = SHA-256 of the CA(32) crc32(4)
 */
import { checkedRow, valueIn } from '../process/checked-value.ts';
import type { Round } from './committer.ts';
import { type State, stateKey } from './state.ts';

const hashBytes = 32;

export class Planes {
  readonly #state: State;
  readonly #known = new Map<bigint, Buffer | undefined>();

  constructor(state: State) {
    this.#state = state;
  }

  /** Undefined where nobody was told anything under the epoch, or what stands here of it is damaged. */
  of(epoch: bigint): Buffer | undefined {
    if (!this.#known.has(epoch)) {
      const key = planeKey(epoch);
      this.#known.set(epoch, valueIn(this.#state.table.get(key), key, hashBytes));
    }
    return this.#known.get(epoch);
  }

  put(round: Round, epoch: bigint, plane: Uint8Array): void {
    const key = planeKey(epoch);
    round.put(this.#state.table, key, checkedRow(key, plane));
    this.#known.set(epoch, Buffer.from(plane));
  }

  /** Did what was delivered under `epoch` go to whom the present one's goes? Where nobody can say, it counts as if. */
  isSame(epoch: bigint, present: bigint): boolean {
    const [one, other] = [this.of(epoch), this.of(present)];
    return one === undefined || other === undefined || one.equals(other);
  }
}

function planeKey(epoch: bigint): Buffer {
  const key = Buffer.allocUnsafe(9);
  key[0] = stateKey.plane;
  key.writeBigUInt64BE(epoch, 1);
  return key;
}
