/**
 * A line diff of two configs, as a unified diff without context limits: what is shown is the whole effective text.
 *
 * What only one of them has is left out, and head and tail that are the same: a table whose rows have all changed costs
 * nothing, and the others are the same lines as without that. What stands between is compared by Myers' "An O(ND)
 * Difference Algorithm" (1986), in its form with linear memory: the middle of a shortest way from both ends, then
 * both halves. Its time grows with the number of differences; a bound on the steps keeps two texts that have nothing
 * in common from holding everybody up, and what is beyond it is told as replaced.
 */

/** Looks at a diagonal, or at a line: some 60 ns each, so some 100 ms. */
const stepsMax = 2_000_000;

export function diffLines(before: string, after: string): string {
  const a = linesOf(before);
  const b = linesOf(after);
  const kept = compared(a, b);
  const lines: string[] = [];
  let at = 0;
  // In a stretch of changes what goes stands before what comes.
  for (let i = 0; i <= a.length; i += 1) {
    const to = i === a.length ? b.length : (kept.of[i] as number);
    if (to < 0) {
      lines.push(`- ${a[i]}`);
      continue;
    }
    for (; at < to; at += 1) lines.push(`+ ${b[at]}`);
    if (i < a.length) {
      lines.push(`  ${a[i]}`);
      at += 1;
    }
  }
  return lines.some((line) => !line.startsWith('  ')) ? `${lines.join('\n')}\n` : '';
}

/** Which line of `b` each line of `a` is: -1 for those that go. And what it took to find out. */
export function compared(a: readonly string[], b: readonly string[]): { of: Int32Array; steps: number } {
  const numbers = new Map<string, number>();
  const [left, right] = [numbered(a, numbers), numbered(b, numbers)];
  const [inLeft, inRight] = [placesOf(left, right, numbers.size), placesOf(right, left, numbers.size)];
  const kept = new Kept(
    inLeft.map((at) => left[at] as number),
    inRight.map((at) => right[at] as number),
  );
  const of = new Int32Array(a.length).fill(-1);
  kept.of.forEach((to, n) => {
    if (to >= 0) of[inLeft[n] as number] = inRight[to] as number;
  });
  return { of, steps: kept.steps };
}

/** Of the lines that the other text has as well. */
function placesOf(lines: Int32Array, others: Int32Array, numbers: number): Int32Array {
  const there = new Uint8Array(numbers);
  for (const other of others) there[other] = 1;
  return lines.map((_, at) => at).filter((at) => there[lines[at] as number] === 1);
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** A number for each line, the same for the same text: they are compared often. */
function numbered(lines: readonly string[], numbers: Map<string, number>): Int32Array {
  return Int32Array.from(lines, (line) => {
    const found = numbers.get(line) ?? numbers.size;
    numbers.set(line, found);
    return found;
  });
}

/** Which lines of `a` stay, and which lines of `b` they are: -1 for those that go. */
class Kept {
  readonly of: Int32Array;
  readonly #a: Int32Array;
  readonly #b: Int32Array;
  readonly #forward: Int32Array;
  readonly #backward: Int32Array;
  steps = 0;

  constructor(a: Int32Array, b: Int32Array) {
    this.#a = a;
    this.#b = b;
    this.of = new Int32Array(a.length).fill(-1);
    const size = a.length + b.length + 3;
    this.#forward = new Int32Array(size);
    this.#backward = new Int32Array(size);
    this.#compare(0, a.length, 0, b.length);
  }

  /** Of a[aFrom … aTo) and b[bFrom … bTo). */
  #compare(aFrom: number, aTo: number, bFrom: number, bTo: number): void {
    let [a0, a1, b0, b1] = [aFrom, aTo, bFrom, bTo];
    while (a0 < a1 && b0 < b1 && this.#a[a0] === this.#b[b0]) {
      this.of[a0] = b0;
      a0 += 1;
      b0 += 1;
    }
    while (a0 < a1 && b0 < b1 && this.#a[a1 - 1] === this.#b[b1 - 1]) {
      a1 -= 1;
      b1 -= 1;
      this.of[a1] = b1;
    }
    if (a0 === a1 || b0 === b1) return;
    const middle = this.#middle(a0, a1, b0, b1);
    if (middle === undefined) return;
    const [x, y] = middle;
    this.#compare(a0, x, b0, y);
    this.#compare(x, a1, y, b1);
  }

  /**
   * A place on a shortest way from one corner to the other, found where the farthest ways from both ends meet;
   * undefined where nothing is in common, or where looking for it takes too long.
   */
  #middle(a0: number, a1: number, b0: number, b1: number): [number, number] | undefined {
    const [a, b, forward, backward] = [this.#a, this.#b, this.#forward, this.#backward];
    const [n, m] = [a1 - a0, b1 - b0];
    const delta = n - m;
    const odd = (delta & 1) !== 0;
    // Diagonal k stands at origin + k; k goes from -m-1 to n+1.
    const origin = m + 1;
    forward[origin + 1] = 0;
    backward[origin + 1] = 0;
    // Every way has fewer changes than all lines: one half of it, rounded up, is enough from each end.
    const most = (n + m + 1) >> 1;
    for (let d = 0; d <= most; d += 1) {
      for (let k = Math.max(-d, d - 2 * m); k <= Math.min(d, 2 * n - d); k += 2) {
        const down = k === -d || (k !== d && at(forward, origin + k - 1) < at(forward, origin + k + 1));
        let x = down ? at(forward, origin + k + 1) : at(forward, origin + k - 1) + 1;
        const from = x;
        while (x < n && x - k < m && a[a0 + x] === b[b0 + x - k]) x += 1;
        forward[origin + k] = x;
        this.steps += 1 + x - from;
        const other = delta - k;
        if (odd && other >= -(d - 1) && other <= d - 1 && x + at(backward, origin + other) >= n)
          return inside(x, x - k, n, m, a0, b0);
      }
      for (let k = Math.max(-d, d - 2 * m); k <= Math.min(d, 2 * n - d); k += 2) {
        const up = k === -d || (k !== d && at(backward, origin + k - 1) < at(backward, origin + k + 1));
        let x = up ? at(backward, origin + k + 1) : at(backward, origin + k - 1) + 1;
        const from = x;
        while (x < n && x - k < m && a[a1 - 1 - x] === b[b1 - 1 - x + k]) x += 1;
        backward[origin + k] = x;
        this.steps += 1 + x - from;
        const other = delta - k;
        if (!odd && other >= -d && other <= d && x + at(forward, origin + other) >= n)
          return inside(n - x, m - x + k, n, m, a0, b0);
      }
      if (this.steps > stepsMax) return undefined;
    }
    return undefined;
  }
}

function at(ways: Int32Array, place: number): number {
  return ways[place] as number;
}

/** Where the middle is; a corner would have the same to compare again. */
function inside(
  x: number,
  y: number,
  n: number,
  m: number,
  a0: number,
  b0: number,
): [number, number] | undefined {
  const corner = (x === 0 && y === 0) || (x === n && y === m);
  return corner || x < 0 || x > n || y < 0 || y > m ? undefined : [a0 + x, b0 + y];
}
