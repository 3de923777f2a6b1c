/** Where mappings look for places: each event's and observation's own stretch, found without walking the message for each. */
import t from 'tap';
import type { Message, Segment } from '../../gateway/normalize/hl7v2/message.ts';
import { Layout } from '../../gateway/normalize/hl7v2/stretches.ts';

/** Segments by name and line, counting how often a name is looked at. */
function message(names: readonly string[]): { message: Message; looks: () => number } {
  let looks = 0;
  const segments = names.map((name, at) => ({
    line: at + 1,
    get name() {
      looks += 1;
      return name;
    },
  }));
  return { message: { segments } as unknown as Message, looks: () => looks };
}

const linesOf = (segment: Segment | undefined) => segment?.line;

t.test('stretches - an event has its order, then what stands before the orders of its patient', async (t) => {
  const names = 'MSH PID ZPI OBR ZOR OBX ZBX OBR ZOR OBX PID ZPI OBR OBX'.split(' ');
  const layout = new Layout(message(names).message, [4, 8, 13]);
  const find = (index: number, name: string, nth = 1) =>
    layout.ofEvent(index).map((stretch) => linesOf(stretch.find(name, nth)));
  t.same(find(0, 'ZOR'), [5, undefined]);
  t.same(find(1, 'ZOR'), [9, undefined]);
  t.same(find(1, 'ZPI'), [undefined, 3]);
  t.same(find(2, 'ZPI'), [undefined, 12], 'of the second patient');
  t.same(find(2, 'MSH'), [undefined, 1], 'the header belongs to all');
  t.same(find(0, 'ZOR', 2), [undefined, undefined], 'the second of that name is another order’s');
  t.same(
    new Layout(message(names).message, [undefined]).ofEvent(0).map((one) => linesOf(one.find('ZPI', 2))),
    [12],
  );
});

t.test('stretches - an observation has what stands behind it, and nothing of another one', async (t) => {
  const names = 'MSH PID OBR NTE OBX NTE ZBX OBX ZBX'.split(' ');
  const made = message(names).message;
  const layout = new Layout(made, [3]);
  t.equal(linesOf(layout.following(made.segments[4] as Segment).find('ZBX', 1)), 7);
  t.equal(linesOf(layout.following(made.segments[7] as Segment).find('ZBX', 1)), 9);
  const [own] = layout.ofEvent(0).map((one) => one.withoutResults);
  t.equal(linesOf(own?.find('NTE', 1)), 4);
  t.equal(own?.find('NTE', 2), undefined, 'a note on a result is the result’s');
  t.equal(own?.find('ZBX', 1), undefined);
});

t.test('stretches - four times the segments are four times the work', async (t) => {
  const work = (rows: number, of: readonly string[]) => {
    const names = ['MSH', 'PID', ...Array<readonly string[]>(rows).fill(of).flat()];
    const starts = names.flatMap((name, at) => (name === 'OBR' ? [at + 1] : []));
    const { message: made, looks } = message(names);
    const layout = new Layout(made, starts.length === 0 ? [undefined] : starts);
    for (const index of starts.keys()) {
      for (const stretch of layout.ofEvent(index)) {
        stretch.find('ZZZ', 1);
        stretch.withoutResults.find('ZZZ', 1);
      }
    }
    for (const segment of made.segments)
      if (segment.line % of.length === 0) layout.following(segment).find('ZZZ', 1);
    return looks();
  };
  for (const of of [['OBX'], ['OBX', 'NTE'], ['OBR'], ['OBR', 'OBX', 'ZBX'], ['PID', 'OBR']]) {
    const [one, four] = [work(250, of), work(1_000, of)];
    t.ok(four < one * 5, `${of.join(' ')}: ${one} looks, then ${four}`);
  }
});
