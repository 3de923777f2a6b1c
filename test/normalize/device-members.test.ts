/** Device JSON whose members are of another type or say less than the shape expects: told, never made up or dropped. */
import t from 'tap';
import { normalizeDevice } from '../../gateway/normalize/device/index.ts';
import type { Normalized } from '../../gateway/normalize/outcome.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { testContext } from './context.ts';

const context = testContext({ source: 'icu', protocol: 'mqtt', topic: 'devices/d' });

function read(payload: unknown): Normalized {
  const made = normalizeDevice(Buffer.from(JSON.stringify(payload)), context);
  for (const event of made.events) ClinicalEvent.encode(event).finish();
  return made;
}

const remarksOf = ({ events }: Normalized): (string[] | undefined)[] =>
  events.map(({ provenance }) => provenance?.remarks);

t.test('device units - one that is no text is none: the default is only for no unit', async (t) => {
  for (const unit of [{ code: 'mmol/L' }, ['mmol/L'], 5, true]) {
    const made = read({ device: 'd', readings: [{ code: 'glucose', value: 5.6, unit }] });
    const [glucose] = made.events[0]?.observations ?? [];
    t.match(glucose, { value: '5.6', unit: '', unitCode: undefined }, JSON.stringify(unit));
    t.notMatch(JSON.stringify(glucose?.code), /loinc/, 'whose code depends on the unit');
    t.same(remarksOf(made), [['reading 1: the unit is no text']]);
  }
  const flat = read({ device: 'd', temp: { value: 98.6, unit: { code: '[degF]' } } });
  t.match(flat.events[0]?.observations[0], { value: '98.6', unit: '' });
  for (const unit of [undefined, null, '']) {
    const { events } = read({ device: 'd', temp: { value: 37, unit } });
    t.equal(events[0]?.observations[0]?.unit, 'Cel');
  }
});

t.test('device remarks - a reading has the number that it has in the payload', async (t) => {
  const readings = [{ code: 'x' }, { code: 'hr', value: 1 }, { code: 'y', value: null }];
  t.same(remarksOf(read({ device: 'd', readings })), [
    ['reading 1: without a code or a value', 'reading 3: without a code or a value'],
  ]);
});
