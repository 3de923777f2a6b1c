/** Previous values: what earlier orders of the same patient said of the same observation, marked, aged and bounded. */
import t from 'tap';
import { seriesRow } from '../../../gateway/normalize/memory/series.ts';
import { decodeSeries, withReport } from '../../../gateway/normalize/memory/series-codec.ts';
import { SeriesReader } from '../../../gateway/normalize/memory/series-row.ts';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { below, seededRandom, seedOfThisRun } from '../../kit/random.ts';
import { er7 } from '../context.ts';
import { adt } from './adt.ts';
import { about, epoch, Rows, take, usualLimits } from './site.ts';

const cx = (value: string) => `${value}^^^HOSP&1.2.4&ISO^MR`;

interface Said {
  ids?: string;
  filler?: string;
  service?: string;
  /** OBR-7 and OBR-22 as DDHHMM of one month. */
  at: string;
  status?: string;
  /** OBX-3, OBX-5, OBX-6, OBX-4 of each. */
  results?: [code: string, value: string, unit?: string, subId?: string][];
  /** OBR-26. */
  parent?: string;
  /** Segments behind the results. */
  further?: string[];
}

class Lab {
  readonly rows = new Rows();
  limits: typeof usualLimits | undefined = usualLimits;
  later = 0;
  #sequence = 0;

  result(said: Said, source = 'lab'): ClinicalEvent {
    const { ids = cx('4711'), service = 'BMP^^L', at, status = 'F', results = [['K^^L', '4.0']] } = said;
    const time = `202611${at}00+0100`;
    const raw = er7(
      `MSH|^~\\&|LAB|HOSP|||${time}||ORU^R01|M${at}|P|2.5.1`,
      `PID|1||${ids}`,
      `OBR|1||${said.filler ?? `F${at}`}|${service}|||${time}|||||||||||||||${time}||LAB|${status}|${said.parent ?? ''}`,
      ...results.map(
        ([code, value, unit = 'mmol/L', subId = ''], index) =>
          `OBX|${index + 1}|NM|${code}|${subId}|${value}|${unit}|||||${status}`,
      ),
      ...(said.further ?? []),
    );
    return this.#take(raw, source);
  }

  merge(trigger: string, ids: string, other: { mrg?: string; other?: string }, at = '0900'): void {
    this.#take(adt({ trigger, ids, at, ...other }), 'adt');
  }

  #take(raw: Buffer, source: string): ClinicalEvent {
    this.#sequence += 1;
    const one = about(this.#sequence, source, this.limits);
    const capturedAtUs = one.capturedAtUs + BigInt(this.later) * 1_000_000n;
    const now = { ...one, enrichment: this.limits, capturedAtUs };
    return take(this.rows, this.#sequence, raw, source, now)[0] as ClinicalEvent;
  }
}

const previous = ({ observations }: ClinicalEvent, at = 0): string[] =>
  (observations[at]?.previous ?? []).map(({ value }) => value);

t.test(
  'previous values - of an earlier order, with unit, time, status, source, record and age',
  async (t) => {
    const lab = new Lab();
    t.same(
      previous(
        lab.result({
          at: '220800',
          results: [
            ['K^^L', '3.1'],
            ['NA^^L', '140'],
          ],
        }),
      ),
      [],
    );
    const event = lab.result({ at: '230800', service: 'K^^L', results: [['K^^L', '6.9']] });
    const record = { epoch, sequence: 1n };
    t.same(event.observations[0]?.previous, [
      {
        value: '3.1',
        unit: 'mmol/L',
        status: 'final',
        effective: '2026-11-22T08:00:00+01:00',
        record,
        source: 'lab',
        ageS: 1n,
        otherOrder: true,
      },
    ]);
    t.same(event.enriched, [{ path: 'observations[0].previous', source: 'lab', ageS: 1n, record }]);
    t.ok(event.provenance?.rules.includes('memory/series'));
    t.same(event.supersessions, [], 'another order replaces nothing');
  },
);

t.test(
  'previous values - two of other orders, the newest observation first, after those of its own',
  async (t) => {
    const lab = new Lab();
    for (const [at, value] of [
      ['200800', '1'],
      ['220800', '3'],
      ['210800', '2'],
    ] as const)
      lab.result({ at, results: [['K^^L', value]] });
    t.same(previous(lab.result({ at: '230800', filler: 'X', status: 'P', results: [['K^^L', '4']] })), [
      '3',
      '2',
    ]);
    const corrected = lab.result({ at: '230800', filler: 'X', status: 'C', results: [['K^^L', '5']] });
    t.match(corrected.observations[0]?.previous, [
      { value: '4', otherOrder: false },
      { value: '3', otherOrder: true },
      { value: '2', otherOrder: true },
    ]);
    t.same(
      previous(lab.result({ at: '240800', results: [['K^^L', '6']] })),
      ['5', '3'],
      'of an order its last word',
    );
  },
);

t.test('previous values - nothing that was observed later, withdrawn, or superseded', async (t) => {
  const lab = new Lab();
  lab.result({ at: '230800', results: [['K^^L', '4']] });
  t.same(previous(lab.result({ at: '220800', results: [['K^^L', '3']] })), [], 'it came late');
  t.same(
    previous(lab.result({ at: '230800', filler: 'Y', results: [['K^^L', '4']] })),
    ['3'],
    'the same moment',
  );
  lab.result({ at: '220900', filler: 'F220800', status: 'D', results: [['K^^L', '3']] });
  t.same(previous(lab.result({ at: '230700', results: [['K^^L', '3.5']] })), [], 'entered in error');
  lab.result({ at: '230900', filler: 'F230700', status: 'X', results: [] });
  t.same(previous(lab.result({ at: '230730', results: [['K^^L', '3.6']] })), [], 'its order was cancelled');
  lab.result({ at: '230720', filler: 'F230730', status: 'P', results: [['K^^L', '9']] });
  t.same(
    previous(lab.result({ at: '230740', results: [['K^^L', '3.7']] })),
    ['3.6'],
    'not the late preliminary',
  );
});

t.test('previous values - past their age they are left out, and switched off there are none', async (t) => {
  const lab = new Lab();
  lab.limits = { ...usualLimits, previousS: 100 };
  lab.result({ at: '220800', filler: 'A', status: 'P', results: [['K^^L', '3']] });
  lab.later = 90;
  t.same(
    previous(lab.result({ at: '220900', filler: 'A', results: [['K^^L', '3.1']] })),
    ['3'],
    'of its own order',
  );
  lab.later = 150;
  t.same(previous(lab.result({ at: '230800', results: [['K^^L', '4']] })), ['3.1']);
  t.same(
    previous(lab.result({ at: '221000', filler: 'A', status: 'C', results: [['K^^L', '3.2']] })),
    ['3.1'],
    'too old: 3',
  );
  for (const limits of [undefined, { ...usualLimits, previousS: 0 }]) {
    lab.limits = limits;
    const event = lab.result({ at: '240800', filler: 'A', results: [['K^^L', '5']] });
    t.same([previous(event), event.enriched], [[], []]);
  }
});

t.test('previous values - sources meet in LOINC, patients and local codes do not', async (t) => {
  const lab = new Lab();
  lab.result({
    at: '220800',
    results: [
      ['K^^L', '3'],
      ['2823-3^Potassium^LN', '3'],
    ],
  });
  t.same(previous(lab.result({ at: '230800', results: [['2823-3^^LN', '4']] }, 'poct')), ['3']);
  t.same(
    previous(lab.result({ at: '230801', results: [['K^^L', '4']] }, 'poct')),
    [],
    'a code of another source',
  );
  t.same(previous(lab.result({ at: '230802', ids: cx('4712') })), [], 'another patient');
  t.same(
    previous(lab.result({ at: '230803', ids: `E1^^^EMPI&1.2.9&ISO^PI~${cx('4711')}` })),
    ['3'],
    'by any number',
  );
});

t.test('previous values - a code that stands twice is not compared', async (t) => {
  const lab = new Lab();
  const organisms = (at: string) =>
    lab.result({
      at,
      service: 'CULT^^L',
      results: [
        ['ORG^^L', 'a', '', '1'],
        ['ORG^^L', 'b', '', '2'],
        ['K^^L', at],
      ],
    });
  organisms('220800');
  const event = organisms('230800');
  t.same(
    event.observations.map((_, at) => previous(event, at)),
    [[], [], ['220800']],
  );
});

t.test('previous values - follow a merge while it holds, and never a patient in conflict', async (t) => {
  const lab = new Lab();
  lab.result({ at: '200800', ids: cx('A'), results: [['K^^L', '1']] });
  lab.result({ at: '210800', ids: cx('B'), results: [['K^^L', '2']] });
  lab.merge('A40', cx('B'), { mrg: cx('A') });
  t.same(previous(lab.result({ at: '220800', ids: cx('B'), results: [['K^^L', '3']] })), ['2', '1']);
  t.same(previous(lab.result({ at: '220801', ids: cx('A'), results: [['K^^L', '4']] })), ['3', '2']);
  lab.merge('A40', cx('C'), { mrg: cx('B') }, '0930');
  t.same(previous(lab.result({ at: '220802', ids: cx('C'), results: [['K^^L', '5']] })), ['4', '3']);
  lab.merge('A37', cx('A'), { other: cx('B') }, '1000');
  t.same(
    previous(lab.result({ at: '220803', ids: cx('A'), results: [['K^^L', '6']] })),
    ['4', '1'],
    'its own',
  );
  t.same(
    previous(lab.result({ at: '220804', ids: cx('C'), results: [['K^^L', '7']] })),
    ['5', '3'],
    'without A',
  );
  const born = (day: string) => `${cx('D')}||||${day}`;
  lab.result({ at: '200800', filler: 'D1', ids: born('19800101'), results: [['K^^L', '1']] });
  const other = lab.result({ at: '210800', filler: 'D2', ids: born('19500505'), results: [['K^^L', '2']] });
  t.equal(other.identityConflicts.length, 1);
  t.same(previous(other), []);
  t.same(previous(lab.result({ at: '220800', filler: 'D3', ids: cx('D'), results: [['K^^L', '3']] })), ['1']);
});

t.test('previous values - a row is bounded and keeps the last of each observation', async (t) => {
  const lab = new Lab();
  const codes = Array.from({ length: 20 }, (_, at) => `C${at}^^L`);
  const hhmm = (at: number) =>
    `${String(1 + Math.floor(at / 20)).padStart(2, '0')}${String(at % 20).padStart(2, '0')}00`;
  lab.result({ at: hhmm(0), results: [['RARE^^L', '1']] });
  for (let at = 1; at <= 30; at += 1)
    lab.result({
      at: hhmm(at),
      results: codes.slice((at % 2) * 10, (at % 2) * 10 + 10).map((code) => [code, `${at}`]),
    });
  const last = lab.result({ at: hhmm(40), results: [...codes, 'RARE^^L'].map((code) => [code, 'x']) });
  t.same(previous(last, 0), ['30', '28']);
  t.same(previous(last, 10), ['29', '27']);
  t.same(previous(last, 20), ['1'], 'what came often has not pushed out what is rare');
  const row = [...lab.rows.rows].find(([name]) => name.startsWith(`${seriesRow.number} `))?.[1];
  t.ok(row !== undefined && row.length < 4096, `${row?.length} bytes`);
});

t.test('previous values - a record that comes once more gives the same answer', async (t) => {
  const lab = new Lab();
  const record = (sequence: number, at: string, value: string) => {
    const raw = er7(
      `MSH|^~\\&|LAB|HOSP|||202611${at}00||ORU^R01|M|P|2.5.1`,
      `PID|1||${cx('1')}`,
      `OBR|1||F${at}|K^^L|||202611${at}00|||||||||||||||202611${at}00||LAB|F`,
      `OBX|1|NM|K^^L||${value}|mmol/L|||||F`,
    );
    return take(lab.rows, sequence, raw)[0] as ClinicalEvent;
  };
  record(1, '220800', '1');
  const first = record(2, '230800', '2');
  const left = new Map(lab.rows.rows);
  t.same(record(2, '230800', '2').observations, first.observations);
  t.same(lab.rows.rows, left);
  record(4, '230800', '2');
  const later = new Map(lab.rows.rows);
  for (const sequence of [2, 4]) record(sequence, '230800', '2');
  t.same(lab.rows.rows, later, 'nor where the same was sent again in the meantime');
});

t.test('series codec - what is written is read, and what is not of this version is absent', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]) => list[below(random, list.length)] as T;
  const reader = new SeriesReader();
  for (let round = 0; round < 300; round += 1) {
    const reports = Array.from({ length: 1 + below(random, 4) }, (_, number) => ({
      order: [below(random, 2 ** 31), 2 ** 32 - 1 - below(random, 9)] as const,
      sequence: below(random, 2 ** 31) * 2 ** 15 + number,
      epoch: pick([0n, 2n ** 64n - 1n]),
      capturedS: below(random, 2 ** 31),
      source: pick(['', 'lab', 'Übergabe']),
      isWithdrawn: pick([true, false]),
      specimen: pick([0, 1, 2 ** 16 - 1]),
      values: Array.from({ length: 1 + below(random, 8) }, () => ({
        key: { high: 2 ** 32 - 1 - below(random, 2 ** 31), low: below(random, 2 ** 16) },
        value: pick(['', '7.40', '<0.01', 'größer', '陽性']),
        unit: pick(['', 'mmol/L', 'µmol/L']),
        status: pick(['final', 'preliminary', 'entered-in-error', 'unknown']),
        effective: pick(['', '2026-11-22', '2026-11-22T08:00:00+01:00']),
        effectiveMs: pick([0, 1, 1_764_000_000_000]),
      })),
    }));
    let row: Buffer | undefined;
    for (const report of reports) row = withReport(row, report, 7n);
    const bytes = row as Buffer;
    const read = decodeSeries(bytes);
    t.same(read, bytes);
    reader.open(read as Buffer);
    for (const { values, order, epoch: own, ...head } of reports.reverse()) {
      t.ok(reader.nextReport());
      const { orderHigh, orderLow, sequence, capturedS, source, isWithdrawn, specimen } = reader;
      t.same([orderHigh, orderLow, reader.epoch], [...order, own || 7n]);
      t.same({ sequence, capturedS, source, isWithdrawn, specimen }, head);
      for (const one of values) {
        t.ok(reader.nextValue());
        const { keyHigh: high, keyLow: low, value, unit, status, effective, effectiveMs } = reader;
        t.same({ key: { high, low }, value, unit, status, effective, effectiveMs }, one);
      }
      t.notOk(reader.nextValue());
    }
    t.notOk(reader.nextReport());
    t.equal(decodeSeries(Buffer.concat([Buffer.of(9), bytes])), undefined);
    t.equal(decodeSeries(bytes.subarray(0, bytes.length - 1)), undefined);
    const old = Buffer.from(bytes);
    old[0] = 1;
    t.same(decodeSeries(old), old, 'a row of the version that knew no specimen');
  }
});

t.test('previous values - of a susceptibility only of the same organism', async (t) => {
  const results: Said['results'] = [['18864-9^Amp^LN', '0.5', 'ug/mL', '1']];
  const of = (at: string, parent: string, lab: Lab) =>
    previous(lab.result({ at, service: 'SUSC^^L', results, parent }));
  const lab = new Lab();
  of('010800', '600-7&Org&LN^1^Staph aureus', lab);
  t.same(of('020800', '600-7&Org&LN^1^E coli', lab), [], 'another organism');
  t.same(
    of('030800', '600-7&Org&LN^2^STAPH AUREUS', lab),
    ['0.5'],
    'the same, whichever of the culture it is',
  );
  t.same(of('040800', '', lab), [], 'of none');
  of('050800', '600-7&Org&LN^1', lab);
  t.same(of('060800', '600-7&Org&LN^1', lab), [], 'of the first, which was another one then');
});

t.test('previous values - of a susceptibility within its report only of the same isolate', async (t) => {
  const lab = new Lab();
  const report = (at: string, organism: string) =>
    lab.result({
      at,
      service: `${at}^^L`,
      results: [],
      further: [
        `OBX|1|CE|ORG^Org^L|1|${organism}^L||||||F`,
        'OBX|2|ST|AM^Amp^L|1|<=0.5|ug/mL||S|||F',
        'OBX|3|ST|WBC^White cells^L|1|3|/uL||H|||F',
      ],
    });
  report('010800', 'SAU^Staph aureus');
  const other = report('020800', 'ECO^E coli');
  t.same(
    [1, 2].map((at) => previous(other, at)),
    [[], ['3']],
  );
  t.same(previous(report('030800', 'SAU^Staph aureus'), 1), ['<=0.5']);
});

t.test('previous values - not of another kind of specimen', async (t) => {
  const lab = new Lab();
  const glucose = (at: string, value: string, ...further: string[]) =>
    previous(lab.result({ at, service: 'GLU^^L', results: [['2345-7^Glu^LN', value]], further }));
  glucose('010800', '5.1', 'SPM|1|^S1||SER^Serum^L');
  t.same(glucose('020800', '3.1', 'SPM|1|^S2||CSF^Liquor^L'), []);
  t.same(glucose('030800', '5.2', 'SPM|1|^S3||ser^Serum^L'), ['5.1']);
  t.same(glucose('040800', '5.3'), ['5.2', '3.1'], 'not known of what');
  t.same(glucose('050800', '3.2', 'SPM|1|^S4||CSF'), ['5.3', '3.1']);
  for (const day of ['06', '07', '08', '09']) glucose(`${day}0800`, `6.${day}`, 'SPM|1|^S5||SER');
  t.same(glucose('100800', '3.3', 'SPM|1|^S6||CSF'), ['3.2', '5.3'], 'many others do not push it out');
});

t.test('previous values - a goal is none, and has none', async (t) => {
  const lab = new Lab();
  const goal = (at: string) =>
    lab.result({
      at,
      filler: 'F1',
      results: [],
      further: [`OBX|1|NM|BW^^L||60|kg|||||F${'|'.repeat(11)}GOL`, 'OBX|2|NM|BW^^L||70|kg|||||F'],
    });
  goal('010800');
  const again = goal('020800');
  t.same(
    [0, 1].map((at) => previous(again, at)),
    [[], []],
  );
  const later = lab.result({ at: '030800', service: 'BW^^L', results: [['BW^^L', '71', 'kg']] });
  t.same(previous(later), ['70']);
  t.notOk(again.observations[0]?.superseded);
});

t.test('previous values - neither of a control nor to one', async (t) => {
  const lab = new Lab();
  const potassium = (at: string, value: string, role: string) =>
    previous(lab.result({ at, results: [['2823-3^K^LN', value]], further: [`SPM|1|||SER|||||||${role}`] }));
  potassium('010800', '4.2', 'P^Patient^HL70369');
  t.same(potassium('020800', '9.1', 'Q^Control^HL70369'), []);
  t.same(potassium('030800', '4.0', 'P^Patient^HL70369'), ['4.2']);
  t.same(potassium('040800', '9.2', 'C^^HL70369'), []);
  t.same(potassium('050800', '4.1', ''), ['4.0', '4.2']);
});
