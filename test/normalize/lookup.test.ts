/** What a message sends is looked up in tables, and never in what every JavaScript object inherits. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { testContext } from './context.ts';
import { samples } from './samples.ts';

const inherited = ['constructor', 'toString', '__proto__', 'valueOf'];

t.test(
  'lookup - a field that holds an inherited name gives text, in every place of every sample',
  async (t) => {
    let messages = 0;
    for (const [name, text] of Object.entries(samples)) {
      for (const word of inherited) {
        for (const { place, message } of withEachField(text, word)) {
          messages += 1;
          const { events, reject } = normalizeHl7v2(Buffer.from(message), testContext());
          if (reject?.code === 'mapping-failed') t.fail(`${name} ${place}=${word}: ${reject.reason}`);
          const odd = events.flatMap((event) => functionsIn(event, 'event'));
          if (odd.length > 0) t.fail(`${name} ${place}=${word}: ${odd.join(', ')}`);
        }
      }
    }
    t.ok(messages > 2000, `${messages} messages`);
  },
);

/** The message with one field, or one first component, replaced. MSH-1 and MSH-2 stay. */
function* withEachField(text: string, word: string): Generator<{ place: string; message: string }> {
  const segments = text.split('\r').filter((segment) => segment !== '');
  for (const [row, segment] of segments.entries()) {
    const fields = segment.split('|');
    for (let at = segment.startsWith('MSH') ? 2 : 1; at < fields.length; at++) {
      if (fields[at] === '') continue;
      const changed = [...fields];
      changed[at] = (fields[at] as string).replace(/^[^^~&]*/, word);
      const message = segments.with(row, changed.join('|')).join('\r');
      yield { place: `${fields[0]}-${segment.startsWith('MSH') ? at + 1 : at}`, message };
    }
  }
}

function functionsIn(value: unknown, path: string): string[] {
  if (typeof value === 'function') return [path];
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([name, member]) => functionsIn(member, `${path}.${name}`));
}
