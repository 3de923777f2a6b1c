/** What goes to quarantine and looks urgent is told as urgent [CONTRACT 4], whatever it was guessed to be among events. */
import t from 'tap';
import { guessClass } from '../../gateway/capture/mqtt/urgency.ts';
import { isVital } from '../../gateway/meaning.ts';
import { rejected } from '../../gateway/worker-rejects.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';

function urgent(topic: string, text: string, protocol = 'mqtt'): boolean {
  const raw = Buffer.from(text);
  const classGuess = guessClass(topic, raw, { isHint: false, isVital });
  const record = JournalRecord.fromPartial({ protocol, topic, raw, classGuess });
  const at = { gateway: 'g', site: 's', epoch: 1n };
  const { entry } = rejected(at, 1, record, { code: 'not-understood', reason: 'x' });
  return QuarantineEntry.decode(entry).urgent;
}

t.test(
  'urgent rejects - an alarm that the shape does not understand, or whose JSON is damaged',
  async (t) => {
    for (const text of [
      '{"device":"d","alarm":{"severity":"high","message":"x"}}',
      '{"device":"d","alarm":true}',
      '{"device":"d","hr":70,"alarms":[{"sev":3}]}',
      '{"device":"d","alarm":{"priority":"high","limit":NaN}}',
      '{"device":"d","alarm":{"priority":"low","code":"x"},}',
      '{"alarm":{"priority":"high","code":"x"}}',
    ])
      t.ok(urgent('devices/d', text), text);
    t.ok(urgent('devices/d/alarms', 'ASYSTOLE'), 'the topic says it');
  },
);

t.test('urgent rejects - not what says nothing of it', async (t) => {
  for (const text of [
    '{"hr":70}',
    'online',
    '',
    '{"device":"d","alarm":null,}',
    '{"device":"d","alarm":false,"x":NaN}',
    'MSH|^~\\&|M|W|||20260101||QBP^Q11|1|P|2.5\r',
  ])
    t.notOk(urgent('devices/d', text), text);
});
