/** What device JSON says beside the letter of the shape, and what nobody may read into it. */
import t from 'tap';
import { compilePayloads } from '../../gateway/normalize/device/template.ts';
import { normalize } from '../../gateway/normalize/normalize.ts';
import type { Normalized } from '../../gateway/normalize/outcome.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { testContext } from './context.ts';

const at = '2026-11-23T08:15:00Z';

function read(payload: unknown, over: Parameters<typeof testContext>[0] = {}): Normalized {
  const context = testContext({ source: 'icu', protocol: 'mqtt', topic: 'devices/d', ...over });
  const raw = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return normalize(JournalRecord.fromPartial({ protocol: 'mqtt', raw }), context);
}

t.test('device alarms - a state that nobody understood may be its end, and is no beginning', async (t) => {
  const config = configSchema.parse({
    sources: { icu: { listener: 'mqtt', payloads: ['one'] } },
    payloads: {
      one: {
        device: '$.device',
        alarm: { text: '$.alarm.text', state: { from: '$.alarm.state' }, time: '$.time' },
      },
    },
  });
  const payloads = compilePayloads(config).get('icu') ?? [];
  for (const over of [{}, { payloads }]) {
    const raised = (state?: unknown) =>
      read({ device: 'd', time: at, alarm: { text: 'LOW', state } }, over).events[0]?.alarm?.raised?.value;
    t.ok(raised(), 'nobody said a state');
    t.ok(raised('active'));
    for (const state of ['resolved', 'acknowledged', 'off', 3]) t.notOk(raised(state), String(state));
  }
});
