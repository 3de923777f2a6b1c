/**
 * Room in the journal. Intake stops at two lines: a byte budget for what stands in it, and the reserve that it leaves
 * for the backlog to drain into [process/reserve.ts].
 */
import { pageBytes } from '../process/lmdb.ts';
import { Reserve } from '../process/reserve.ts';

const mebibyte = 1024 ** 2;
/** Once the budget was met, intake opens again only with some room to spare. */
const reopenShare = 0.1;
/** An event with its message, beside the message alone; pages are half full while they grow. */
const eventFactor = 8;
/** Half-full pages and trees, as a factor and as a sum; generous, because LMDB must never meet a full disk. */
const overhead = 1.8;
const slackBytes = 4 * mebibyte;

export interface Room {
  state: 'open' | 'reserve' | 'budget';
  fileBytes: number;
  freeBytes: number;
  /** Of the reserve: blocks that are the file's already. */
  heldBytes: number;
  /** Free inside the file, with what half-full pages may take off: the file never shrinks, and is written again. */
  reusableBytes: number;
  liveBytes: number;
}

export interface Space {
  /** Is the file that is written still the one that has its name? Where it is not, `onGone` was called. */
  look(): void;
  /** Asked before each append; answers from a reading that is at most 250 ms and some bytes old, less what was taken since. */
  state(bytes: number): Room['state'];
  room(): Room;
  /** Takes the reserve's blocks; resolves with whether they are held. */
  hold(): Promise<boolean>;
}

export interface SpaceOptions {
  /** What is written from here on goes with the process. */
  onGone(cause: unknown): void;
  file: string;
  budgetBytes: number;
  /** Default: 10 % of the volume, at most 512 MiB. */
  reserveBytes?: number | undefined;
  /** Bytes of the rows that stand in the journal. */
  liveBytes(): number;
  /** Bytes of the records that are not normalized: each will become a larger event, with no more asking. */
  unmappedBytes(): number;
}

export function createSpace(options: SpaceOptions): Space {
  const reserve = new Reserve(options.file, options.reserveBytes);
  /** As of the last reading, as what was taken since is counted apart. */
  let reusableBytes = 0;
  let state: Room['state'] = 'open';

  function read(): void {
    try {
      reserve.read();
    } catch (cause) {
      options.onGone(cause);
      throw cause;
    }
    reusableBytes = Math.max(0, reserve.fileBytes - options.liveBytes() * overhead - slackBytes);
  }

  function judge(bytes: number): Room['state'] {
    // Copy-on-write takes pages for the row and for the way to it before any page comes back. What is
    // free inside the file serves first; it never shrinks, so after a drain that is most of it.
    const owed = options.unmappedBytes() * eventFactor;
    const budget = options.budgetBytes * (state === 'budget' ? 1 - reopenShare : 1);
    if (!reserve.isLeft(reserve.takenBytes * 2 + bytes + owed, reusableBytes)) state = 'reserve';
    else if (options.liveBytes() + bytes > budget) state = 'budget';
    else state = 'open';
    return state;
  }

  return {
    look() {
      try {
        if (reserve.isStale) read();
      } catch {
        // Told.
      }
    },
    hold: () => reserve.hold(),
    state(bytes) {
      if (reserve.isStale) read();
      const judged = judge(bytes);
      if (judged === 'open') reserve.take(bytes);
      return judged;
    },
    room() {
      read();
      const { fileBytes, freeBytes, heldBytes } = reserve;
      const liveBytes = options.liveBytes();
      return { state: judge(0), fileBytes, freeBytes, heldBytes, reusableBytes, liveBytes };
    },
  };
}

/** What a row costs in the file: small rows share pages, large ones take whole pages. */
export function storedBytes(keyBytes: number, valueBytes: number): number {
  const bytes = keyBytes + valueBytes + 16;
  return bytes < pageBytes / 2 ? bytes : Math.ceil(bytes / pageBytes) * pageBytes;
}
