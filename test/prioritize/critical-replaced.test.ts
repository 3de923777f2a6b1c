/** What takes a critical result back is as urgent as that was. */
import t from 'tap';
import { compileClassifier } from '../../gateway/prioritize/classify.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { er7 } from '../normalize/context.ts';
import { Rows, take } from '../normalize/memory/site.ts';

const classify = compileClassifier(configSchema.parse({}));
const critical = 'class:default:critical-replaced';

class Lab {
  readonly rows = new Rows();
  #sequence = 0;

  /** @param results OBX-3, OBX-5, OBX-8 of each. @param role SPM-11 */
  report(
    status: string,
    results: readonly [string, string, string][],
    more: { filler?: string; role?: string } = {},
  ) {
    this.#sequence += 1;
    const sent = `202611231${this.#sequence}0000+0100`;
    const [event] = take(
      this.rows,
      this.#sequence,
      er7(
        `MSH|^~\\&|LAB|HOSP|||${sent}||ORU^R01|M${this.#sequence}|P|2.5.1`,
        'PID|1||4711^^^HOSP^MR',
        `OBR|1||${more.filler ?? 'F1'}|BMP^^L|||20261123080000+0100|||||||||||||||||LAB|${status}`,
        ...results.map(
          ([code, value, flag], at) => `OBX|${at + 1}|NM|${code}^^L||${value}|mmol/L||${flag}|||${status}`,
        ),
        ...(more.role === undefined ? [] : [`SPM|1|||SER|||||||${more.role}`]),
      ),
    );
    if (event === undefined) throw new Error('no event');
    const { class: given, rule } = classify(event);
    return [given, rule];
  }
}

t.test('classify - a correction or withdrawal of a critical result is stat', async (t) => {
  for (const [status, value] of [
    ['C', '4.1'],
    ['F', '4.1'],
    ['W', '7.4'],
    ['X', ''],
  ] as const) {
    const lab = new Lab();
    t.same(lab.report('F', [['K', '7.4', 'HH']])[0], 'stat');
    t.same(lab.report(status, [['K', value, '']]), ['stat', critical], status);
  }
  const whole = new Lab();
  whole.report('F', [
    ['NA', '140', ''],
    ['K', '7.4', 'HH'],
  ]);
  t.same(whole.report('X', []), ['stat', critical], 'a withdrawal that names no result');
});

t.test('classify - what replaces none, or was said before, is not', async (t) => {
  const lab = new Lab();
  lab.report('F', [
    ['NA', '140', ''],
    ['K', '7.4', 'HH'],
  ]);
  t.same(lab.report('C', [['NA', '141', '']])[0], 'routine', 'a correction of another result');
  t.same(lab.report('F', [['K', '4.4', '']], { filler: 'F2' })[0], 'routine', 'another order');
  t.same(lab.report('C', [['K', '4.1', '']]), ['stat', critical]);
  t.same(lab.report('C', [['K', '4.1', '']])[0], 'routine', 'the correction again');
  t.same(lab.report('C', [['K', '4.2', '']])[0], 'routine', 'a correction of the correction');
  t.same(lab.report('X', [])[0], 'routine');
  const control = new Lab();
  control.report('F', [['K', '7.4', 'HH']], { role: 'Q' });
  t.same(control.report('C', [['K', '4.1', '']], { role: 'Q' })[0], 'routine', 'of a control');
});

t.test('classify - a critical result that was sent again without its flag was critical', async (t) => {
  const lab = new Lab();
  lab.report('F', [['K', '7.4', 'HH']]);
  lab.report('F', [['K', '7.4', '']]);
  t.same(lab.report('C', [['K', '4.1', '']]), ['stat', critical]);
});
