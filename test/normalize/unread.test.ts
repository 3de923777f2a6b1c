/** What no rule reads is told with the event by its place, and never by what it says. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { compileMappings } from '../../gateway/normalize/hl7v2/remap.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { er7, testContext } from './context.ts';
import { events } from './told.ts';

const line = (cells: Record<number, string>, name: string): string => {
  const last = Math.max(...Object.keys(cells).map(Number));
  return [name, ...Array.from({ length: last }, (_, at) => cells[at + 1] ?? '')].join('|');
};
const unreadOf = (type: string, ...said: string[]) =>
  events(type, ...said).map(({ provenance }) => provenance?.unread);

t.test('unread - a field that no rule reads is told by its place', (t) => {
  const pv1 = line({ 2: 'I', 22: 'CC', 46: '12.50', 60: 'more than the standard has' }, 'PV1');
  t.same(unreadOf('ADT^A01', pv1), [['PV1-22', 'PV1-46', 'PV1-60']]);
  t.same(unreadOf('ADT^A01', line({ 1: '1', 2: 'I' }, 'PV1')), [[]], 'an ordinal says nothing');
  t.same(
    unreadOf('ADT^A01', line({ 2: 'I', 22: '""', 23: '^^' }, 'PV1')),
    [[]],
    'nor do a null and separators',
  );
  t.end();
});

t.test('unread - a further repetition of a field with one value, and components behind it, are told', (t) => {
  t.same(unreadOf('ADT^A01', line({ 2: 'I', 18: 'P1~P2' }, 'PV1')), [['PV1-18[2]']]);
  t.same(unreadOf('ADT^A01', line({ 2: 'I', 44: '20261123~20261124' }, 'PV1')), [['PV1-44[2]']]);
  t.same(unreadOf('ADT^A01', 'PV1|1|I', line({ 12: 'In words^and more' }, 'PV2')), [['PV2-12.2']]);
  t.same(unreadOf('ADT^A08', 'PV1|1|I', 'NK1|1|DOE^JO||HOME^^TOWN^^^^^^^^A'), [['NK1-4.11']]);
  t.same(unreadOf('ADT^A01', line({ 1: '1', 2: 'P', 4: 'KASSE^L^77^^^K^XX~L2' }, 'IN1')), [
    ['IN1-4[2]', 'IN1-4.2'],
  ]);
  t.same(unreadOf('BPS^O29', 'ORC|NW|1', line({ 1: '1', 2: 'RD', 9: 'M1~M2' }, 'BPX')), [['BPX-9[2]']]);
  t.same(unreadOf('ADT^A01', line({ 2: 'I', 19: '7^^^H&1.2&ISO^VN^H&1.3&ISO^^^^^SEC' }, 'PV1')), [
    ['PV1-19.6', 'PV1-19.11'],
  ]);
  t.end();
});

t.test(
  'unread - of several orders the one that has it is told of it; the patient’s are told with each',
  (t) => {
    const ordered = ['ORC|NW|1', 'OBR|1|1||A^A^L', 'ORC|NW|2', `OBR|2|2||B^B^L${'|'.repeat(60)}x`];
    t.same(unreadOf('ORM^O01', line({ 2: 'I', 22: 'CC' }, 'PV1'), ...ordered), [
      ['PV1-22'],
      ['PV1-22', 'OBR-64'],
    ]);
    t.end();
  },
);

t.test('unread - a long message does not tell of the same places without end', (t) => {
  const orders = Array.from({ length: 600 }, (_, at) => `ORC|NW|${at}${'|'.repeat(60)}${'x|'.repeat(100)}`);
  const all = unreadOf('ORM^O01', ...orders);
  t.equal(all.length, 600);
  t.equal(all[0]?.length, 100);
  t.equal(all.flat().length, 50_000);
  t.end();
});

t.test('unread - what each of many orders is told of its patient counts to the 64 MiB of a message', (t) => {
  const of = (orders: number, said: string) => {
    const pid = `PID|1||7${'|'.repeat(40)}${`${said}|`.repeat(1000)}`;
    const asked = Array.from({ length: orders }, (_, at) => `ORC|NW|${at}`);
    const limits = { segmentsMax: 20_000, fieldBytesMax: 1024 };
    const head = 'MSH|^~\\&|A|B|C|D|20261123||ORM^O01|1|P|2.5';
    const { events: made, reject } = normalizeHl7v2(er7(head, pid, ...asked), testContext({ limits }));
    return reject?.code ?? made.length;
  };
  t.equal(of(1000, 'x'), 1000);
  t.equal(of(11_000, 'x'), 'too-large', 'its unread fields');
  t.equal(of(1000, '""'), 1000);
  t.equal(of(7000, '""'), 'too-large', 'its nulls');
  t.end();
});

t.test('unread - what a mapping of the config reads is not unread', (t) => {
  const config = configSchema.parse({ mappings: { own: { set: { 'extensions.courtesy': 'PV1-22' } } } });
  const mappings = compileMappings(config)('lab');
  const said = er7('MSH|^~\\&|A|B|C|D|20261123||ADT^A01|1|P|2.5', 'PID|1||7', `PV1|1|I${'|'.repeat(20)}CC|5`);
  const made = (over: object) => normalizeHl7v2(said, testContext(over)).events[0];
  t.same(made({})?.provenance?.unread, ['PV1-22', 'PV1-23']);
  t.same(made({ mappings })?.provenance?.unread, ['PV1-23']);
  t.same(made({ mappings })?.extensions, [{ name: 'courtesy', value: 'CC' }]);
  t.end();
});

t.test(
  'unread - a component or a further repetition that a mapping of the config reads is not unread',
  (t) => {
    const said = er7(
      'MSH|^~\\&|A|B|C|D|20261123||ADT^A08|1|P|2.5',
      'PID|1||7',
      line({ 2: 'I', 18: 'P1~P2' }, 'PV1'),
      'NK1|1|DOE^JO||HOME^^TOWN^^^^^^^^A',
    );
    const unreadBy = (...from: string[]) => {
      const set = Object.fromEntries(from.map((place, at) => [`extensions.x${at}`, { from: [place] }]));
      const mappings = compileMappings(configSchema.parse({ mappings: { own: { set } } }))('lab');
      return normalizeHl7v2(said, testContext({ mappings })).events[0]?.provenance?.unread;
    };
    t.same(unreadBy('ZXX-1'), ['PV1-18[2]', 'NK1-4.11']);
    t.same(unreadBy('NK1-4.11'), ['PV1-18[2]']);
    t.same(unreadBy('PV1-18[2]'), ['NK1-4.11']);
    t.same(
      unreadBy('PV1-18', 'NK1-4'),
      ['PV1-18[2]', 'NK1-4.11'],
      'what it does not read of the field stays',
    );
    t.same(unreadBy('PV1-18[2]', 'NK1-4.11'), []);
    t.end();
  },
);
