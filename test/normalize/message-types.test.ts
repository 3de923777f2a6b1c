/** MSH-9, and what contradicts it. */
import t from 'tap';
import { events, remarksOf } from './told.ts';

t.test('message types - an EVN-1 that contradicts MSH-9 is told', async (t) => {
  const remark = 'EVN-1: another trigger than that of MSH-9, which stands';
  const told = events('ADT^A08', 'EVN|A03|20261123', 'PV1|1|I|5N');
  t.match(told, [{ movement: { trigger: 'A08' } }]);
  t.same(remarksOf(told), [remark]);
  t.same(remarksOf(events('ADT_A08', 'EVN|A03|20261123', 'PV1|1|I|5N')), [remark]);
  for (const [type, evn] of [
    ['ADT^A08', 'a08'],
    ['ADT^A08', ''],
    ['ADT^A08', 'UPDATE'],
    ['ADT', 'A08'],
    ['ADT^^ADT_A01', 'A08'],
  ] as const)
    t.same(remarksOf(events(type, `EVN|${evn}|20261123`, 'PV1|1|I|5N')), [], `${type} ${evn}`);
});
