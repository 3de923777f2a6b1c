/** A queue of letters in memory, for a delivery: what was settled is gone at once. */
import type { DeliveryQueue, Letter, Told } from '../../gateway/route/delivery.ts';

export interface LetterQueue extends DeliveryQueue<Letter> {
  readonly letters: Letter[];
}

export function letterQueue(
  letters: readonly (Omit<Letter, 'id' | 'recordSequence' | 'route'> & { route?: string })[],
  onSettled: (letter: Letter, word: 'delivered' | 'dead', told: Told) => void,
): LetterQueue {
  const waiting = letters.map((letter, n) => ({
    route: 'all',
    ...letter,
    id: `id-${n + 1}`,
    recordSequence: n + 1,
  }));
  const settle = (word: 'delivered' | 'dead') => async (letter: Letter, told: Told) => {
    waiting.splice(
      waiting.findIndex(({ id }) => id === letter.id),
      1,
    );
    onSettled(letter, word, told);
  };
  const place = (id: string) => Number(id.slice('id-'.length));
  return {
    letters: waiting,
    next: (out, after = 'id-0') => waiting.find(({ id }) => place(id) > place(after) && !out.has(id)),
    delivered: settle('delivered'),
    deadLetter: settle('dead'),
    normalizedThrough: () => Number.POSITIVE_INFINITY,
  };
}
