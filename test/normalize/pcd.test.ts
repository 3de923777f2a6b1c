/** Device reports and alarms over HL7 v2: IHE PCD-01 and PCD-04. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { mdcUnit } from '../../gateway/normalize/mdc-units.ts';
import { normalize } from '../../gateway/normalize/normalize.ts';
import type { NormalizeContext } from '../../gateway/normalize/outcome.ts';
import { compileClassifier } from '../../gateway/prioritize/classify.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { toBundleText } from '../../proto/fhir/bundle.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7, testContext } from './context.ts';

const mdc = 'urn:iso:std:iso:11073:10101';
const ucum = 'http://unitsofmeasure.org';
const eui64 = 'urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680';

function run(raw: Uint8Array, context: NormalizeContext = testContext()): ClinicalEvent[] {
  const record = JournalRecord.fromPartial({ protocol: 'mllp', raw });
  const { events, reject } = normalize(record, context);
  if (reject !== undefined) throw new Error(reject.reason);
  for (const event of events) ClinicalEvent.encode(event).finish();
  return events;
}

const header = (type: string): string =>
  `MSH|^~\\&|GW^00A0^EUI-64|W1|||20261123081500+0100||${type}|M1|P|2.6`;
const pid = 'PID|||4711^^^HOSP^MR||MUSTER^ERIKA';

const monitor = er7(
  header('ORU^R01^ORU_R01'),
  pid,
  'OBR|1|P7^GW|F7^GW^00A0^EUI-64|182777000^monitoring of patient^SCT|||20261123081500+0100|20261123081600+0100',
  'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||20261123081459+0100||||MON-12^ACME^0019FF0000000012^EUI-64',
  'OBX|2||69642^MDC_DEV_ANALY_SAT_O2_VMD^MDC|1.1.0.0|||||||X|||||||OXI-3^ACME',
  'OBX|3||69643^MDC_DEV_ANALY_SAT_O2_CHAN^MDC|1.1.1.0|||||||X',
  'OBX|4|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1|97|262688^MDC_DIM_PERCENT^MDC|90-100||||R|||20261123081530+0100',
  'OBX|5|NM|149530^MDC_PULS_OXIM_PULS_RATE^MDC|1.1.1.2|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R',
  'OBX|6|NA|150452^MDC_PULS_OXIM_PLETH^MDC|1.1.1.3|12^13.50^^-4|262656^MDC_DIM_DIMLESS^MDC|||||R',
  'OBX|7||69855^MDC_DEV_PUMP_INFUS_VMD^MDC|1.2.0.0|||||||X',
  'PRT|1|AD||EQUIP^Equipment^HL70912||||||P-9^ACME||||||(01)04012345678901||||SN-77',
  'OBX|8|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.2.1.1|12.50|265266^MDC_DIM_MILLI_L_PER_HR^MDC|||||R',
  'OBX|9|ST|67886^MDC_ATTR_ID_SOFT^MDC|0.0.0.1|v2||||||R',
);

t.test(
  'pcd-01 - MDS, VMD and channel are the components of the device, each with its identity',
  async (t) => {
    const [event] = run(monitor);
    t.equal(event?.kind, 'device-observation');
    t.match(event?.device, {
      type: { codings: [{ system: mdc, code: '69965' }] },
      path: '1.0.0.0',
      identifiers: [
        { value: 'MON-12', system: 'urn:hilum:lab:ACME', assigner: 'ACME' },
        { value: '0019FF0000000012', system: eui64 },
      ],
    });
    t.same(
      event?.device?.components.map(({ path, level, identifiers }) => [
        path,
        level,
        identifiers.map(({ value, type }) => value + type),
      ]),
      [
        ['1', 'mds', ['MON-12', '0019FF0000000012']],
        ['1.1', 'vmd', ['OXI-3']],
        ['1.1.1', 'channel', []],
        ['1.2', 'vmd', ['P-9', '(01)04012345678901UDI', 'SN-77SNO']],
      ],
    );
    t.same(
      event?.observations.map(({ subId, devicePath }) => [subId, devicePath]).slice(3),
      [
        ['1.1.1.1', '1.1.1'],
        ['1.1.1.2', '1.1.1'],
        ['1.1.1.3', '1.1.1'],
        ['1.2.0.0', ''],
        ['1.2.1.1', '1.2'],
        ['0.0.0.1', ''],
      ],
      'a channel that is not told of leaves its VMD',
    );
    t.equal(
      event?.device?.identifiers.length,
      2,
      'what an inner part is called is not the name of the whole',
    );
  },
);

t.test(
  'pcd-01 - order numbers, code and times stay; a row has its own time before that of the report',
  async (t) => {
    const [event] = run(monitor);
    t.match(event, {
      order: {
        placer: { value: 'P7' },
        filler: { value: 'F7' },
        service: { codings: [{ code: '182777000' }] },
      },
      times: {
        observed: { value: '2026-11-23T08:15:00+01:00' },
        observedEnd: { value: '2026-11-23T08:16:00+01:00' },
      },
    });
    t.equal(event?.observations[3]?.effective?.value, '2026-11-23T08:15:30+01:00');
    t.equal(event?.observations[4]?.effective, undefined, 'the report says it');
  },
);

t.test('pcd-01 - MDC units stay as sent, with their UCUM beside them', async (t) => {
  const [event] = run(monitor);
  t.same(
    event?.observations
      .filter(({ unit }) => unit !== '')
      .map(({ value, unit, unitCode }) => [
        value,
        unit,
        unitCode?.codings.map(({ code, mapped }) => [code, mapped]),
      ]),
    [
      [
        '97',
        '262688',
        [
          ['262688', false],
          ['%', true],
        ],
      ],
      [
        '72',
        '264864',
        [
          ['264864', false],
          ['/min', true],
        ],
      ],
      [
        '',
        '262656',
        [
          ['262656', false],
          ['1', true],
        ],
      ],
      [
        '12.50',
        '265266',
        [
          ['265266', false],
          ['mL/h', true],
        ],
      ],
    ],
  );
  t.equal(event?.observations[3]?.unitCode?.codings[1]?.system, ucum);
});

t.test('mdc units - prefix and number name the same unit, unknown ones none', async (t) => {
  const rows: [string, string, string | undefined][] = [
    ['264274', 'MDC_DIM_MILLI_G_PER_DL', 'mg/dL'],
    ['266418', 'MDC_DIM_MILLI_VOLT', 'mV'],
    ['265987', 'MDC_DIM_KILO_PASCAL', 'kPa'],
    ['266866', 'MDC_DIM_MILLI_MOLE_PER_L', 'mmol/L'],
    ['263875', 'MDC_DIM_KILO_G', 'kg'],
    ['268050', 'MDC_DIM_MILLI_L_PER_CM_H2O', 'mL/cm[H2O]'],
    ['266560', 'MDC_DIM_FAHR', '[degF]'],
    ['263520', 'MDC_DIM_INCH', '[in_i]'],
    ['264339', 'MDC_DIM_MICRO_SEC', 'us'],
    ['262657', 'MDC_DIM_FURLONG', undefined],
  ];
  for (const [code, name, unit] of rows) {
    t.equal(mdcUnit(code), unit, code);
    t.equal(mdcUnit(name), unit, name);
  }
});

t.test(
  'mdc units - a name says its unit by its grammar, and a number that is not known leaves it to it',
  async (t) => {
    const rows: [string, string | undefined][] = [
      ['MDC_DIM_MICRO_G_PER_KG_PER_MIN', 'ug/kg/min'],
      ['MDC_DIM_MILLI_G_PER_ML', 'mg/mL'],
      ['MDC_DIM_MILLI_INTL_UNIT_PER_KG_PER_HR', 'm[IU]/kg/h'],
      ['MDC_DIM_NANO_G_PER_KG_PER_MIN', 'ng/kg/min'],
      ['MDC_DIM_MILLI_EQUIV_PER_L', 'meq/L'],
      ['MDC_DIM_X_G_PER_M_SQ', 'g/m2'],
      ['MDC_DIM_DYNE_SEC_PER_CM_5', 'dyn.s/cm5'],
      ['MDC_DIM_PICO_G_PER_ML', 'pg/mL'],
      ['MDC_DIM_PER_SEC', '/s'],
      ['MDC_DIM_G_PER_FURLONG', undefined],
      ['MDC_DIM_DYNE_SEC_PER_M_SQ_PER_CM_5', undefined],
      ['MDC_DIM_', undefined],
    ];
    for (const [name, unit] of rows) {
      t.equal(mdcUnit(name), unit, name);
      t.equal(mdcUnit('0', name), unit, name);
      t.equal(mdcUnit('264999', name), unit, name);
    }
    t.equal(mdcUnit('265619'), 'ug/kg/min');
    t.equal(mdcUnit('264306'), 'mg/mL');
    t.equal(mdcUnit('266016', 'MDC_DIM_PERCENT'), undefined, 'two units are none');
  },
);

t.test('pcd-01 - the MDC unit decides, whatever stands beside it as UCUM', async (t) => {
  const unit = (obx6: string) => {
    const [event] = run(
      er7(
        header('ORU^R01^ORU_R01'),
        'OBR|1||F7|1^X^MDC|||20261123',
        `OBX|7|NM|150456^MDC_X^MDC|1.1.1.1|5|${obx6}|||||R`,
      ),
    );
    const codings = event?.observations[0]?.unitCode?.codings ?? [];
    const told = /"valueQuantity":(\{[^}]*\})/.exec(toBundleText(event as ClinicalEvent))?.[1] ?? '{}';
    const { system, code } = JSON.parse(told) as { system?: string; code?: string };
    return [
      codings.filter((one) => one.mapped).map(({ code }) => code),
      system === ucum ? code : undefined,
      event?.provenance?.remarks,
    ];
  };
  t.same(unit('266016^MDC_DIM_MMHG^MDC^mmHg^mmHg^UCUM'), [['mm[Hg]'], 'mm[Hg]', []]);
  t.same(unit('268192^MDC_DIM_DEGC^MDC^C^C^UCUM'), [['Cel'], 'Cel', []], 'C is coulomb');
  t.same(unit('264864^MDC_DIM_BEAT_PER_MIN^MDC^bpm^bpm^UCUM'), [['/min'], '/min', []]);
  t.same(unit('266016^MDC_DIM_MMHG^MDC^mm[Hg]^^UCUM'), [[], 'mm[Hg]', []], 'which is the same');
  t.same(unit('bpm^^UCUM'), [['/min'], '/min', []]);
  t.same(unit('foo^^UCUM'), [[], undefined, []]);
  t.same(unit('264608^MDC_DIM_PER_SEC^MDC'), [['/s'], '/s', []]);
  t.same(unit('0^MDC_DIM_MMHG^MDC'), [['mm[Hg]'], 'mm[Hg]', []]);
  t.same(unit('266016^MDC_DIM_PERCENT^MDC'), [
    [],
    undefined,
    ['OBX[7]-6: the number and the name are two MDC units'],
  ]);
});

t.test(
  'pcd-01 - a number and what stands beside it that are not one unit are told, and read as none',
  async (t) => {
    const read = (obx6: string) => {
      const [event] = run(
        er7(
          header('ORU^R01^ORU_R01'),
          'OBR|1||F7|1^X^MDC|||20261123',
          `OBX|7|NM|188740^MDC_LEN_BODY_ACTUAL^MDC|1.1.1.1|5.9|${obx6}|||||R`,
        ),
      );
      const { observations, provenance } = event ?? {};
      return [
        observations?.[0]?.unitCode?.codings.filter((one) => one.mapped).map(({ code }) => code),
        provenance?.remarks,
      ];
    };
    const told = [[], ['OBX[7]-6: the MDC number and what stands beside it are not one unit']];
    for (const other of [
      '263424^MDC_DIM_FEET^MDC',
      '263424^in^MDC',
      '263424^kg^MDC',
      '268192^MDC_DIM_FAHR_X^MDC',
      '268192^°F^MDC',
      '263441^MDC_DIM_CENTI_M^MDC^m^^UCUM',
      '263424^MDC_DIM_M^MDC^^^^^^inch',
    ])
      t.same(read(other), told, other);
    t.same(read('268192^MDC_DIM_FAHR^MDC'), [[], ['OBX[7]-6: the number and the name are two MDC units']]);
    for (const [same, ucum] of [
      ['263441^cm^MDC', 'cm'],
      ['263441^MDC_DIM_CENTI_M^MDC^cm^cm^L', 'cm'],
      ['268192^°C^MDC', 'Cel'],
      ['264864^bpm^MDC', '/min'],
      ['264864^Beats per minute^MDC', '/min'],
      ['264928^MDC_DIM_RESP_PER_MIN^MDC^{breaths}/min^^L', '/min'],
      ['265266^ml/hr^MDC', 'mL/h'],
      ['265266^MDC_DIM_MILLI_L_PER_HR^MDC^cm3/h^^UCUM', 'mL/h'],
      ['266016^mmHg^MDC', 'mm[Hg]'],
      ['MDC_DIM_MMHG^266016^MDC', 'mm[Hg]'],
      ['263424^^MDC', 'm'],
    ] as const)
      t.same(read(same), [[ucum], []], same);
    t.same(read('263424^MDC_DIM_M^MDC^m^^UCUM'), [[], []]);
  },
);

t.test('pcd-01 - a number of one vital sign under the name of another is told', async (t) => {
  const remarks = (obx3: string) =>
    run(
      er7(header('ORU^R01^ORU_R01'), 'OBR|1||F7|1^X^MDC|||20261123', `OBX|7|NM|${obx3}|1.1.1.1|14||||||R`),
    )[0]?.provenance?.remarks;
  t.same(remarks('147842^MDC_RESP_RATE^MDC'), ['OBX[7]-3: the number and the name are two MDC codes']);
  for (const one of [
    '147842^MDC_ECG_HEART_RATE^MDC',
    '147842^MDC_ECG_CARD_BEAT_RATE^MDC',
    '147842^Heart rate^MDC',
    '151562^^MDC',
    'MDC_RESP_RATE^151562^MDC',
    '147842^MDC_RESP_RATE^L',
  ])
    t.same(remarks(one), [], one);
});

t.test('pcd-01 - a device may have a row of its own before those of the standard', async (t) => {
  const kind = (...rows: string[]) =>
    run(er7(header('ORU^R01^ORU_R01'), 'OBR|1||F7|1^X^L|||20261123', ...rows))[0]?.kind;
  const own = 'OBX|1|ST|SW^Software^99MON||1.2||||||F';
  const heart = 'OBX|2|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|72||||||R';
  const loinc = 'OBX|1|NM|8867-4^Heart rate^LN||72||||||F';
  t.equal(kind(own, heart), 'device-observation');
  t.equal(kind(heart, own), 'device-observation');
  t.equal(kind(own, loinc), 'observation');
  t.equal(kind(loinc, heart, 'SPM|1|||BLD'), 'observation', 'of a specimen');
  const both = 'OBX|2|NM|2339-0^Glucose^LN^160184^MDC_CONC_GLU^MDC||90||||||F';
  t.equal(kind(loinc, both), 'observation', 'a lab that maps to MDC as well');
  t.equal(kind(own), 'observation');
});

t.test('pcd-01 - what is no number, no comparator and no order number is told', async (t) => {
  const made = (obr2: string, ...rows: string[]) => {
    const [event] = run(er7(header('ORU^R01^ORU_R01'), `OBR|1|${obr2}||1^X^MDC|||20261123`, ...rows));
    return [event?.order?.placer?.value, event?.observations[0], event?.provenance?.remarks] as const;
  };
  const good = 'OBX|1|NM|1^X^MDC||-4.0||||||F';
  t.same(made('7^PIC^0009FF^EUI-64', good)[0], '7');
  t.same(made('^^1.2.3.4^ISO', good).slice(0, 1), ['1.2.3.4'], 'the universal id alone is a number');
  for (const obr2 of ['^PIC^0009FF^EUI-64', '^^0009FF^EUI-64', '^PIC^1.2.3^ISO']) {
    const [placer, , remarks] = made(obr2, good);
    t.equal(placer, undefined, obr2);
    t.same(remarks, ['an order number that names its authority and no number']);
  }
  for (const value of ['INV', '***', '---'])
    t.same(made('7', `OBX|3|NM|1^X^MDC||${value}||||||F`)[2], ['OBX[3]-5: a number (NM) without a digit']);
  t.same(made('7', good)[2], []);
  const [, shifted, remarks] = made('7', 'OBX|2|SN|1^X^MDC||97||||||F');
  t.match(shifted, { value: '97', structured: undefined });
  t.same(remarks, ['OBX[2]-5: an SN that does not begin with a comparator']);
  t.match(made('7', 'OBX|2|SN|1^X^MDC||<^97||||||F')[1], { structured: { comparator: '<', number1: '97' } });
});

t.test('pcd-01 - a sample array is no value', async (t) => {
  const pleth = run(monitor)[0]?.observations[5];
  t.match(pleth, {
    value: '',
    valueType: 'NA',
    samples: { data: '12 13.50 E -4', count: 4, dimensions: 1, bytes: 12n },
  });
  const short = run(monitor, testContext({ attachmentBytesMax: 11 }))[0]?.observations[5];
  t.match(
    short?.samples,
    { data: '', count: 4, hash: pleth?.samples?.hash },
    'over the limit what was there',
  );
  const multiplexed = run(
    er7(
      header('ORU^R01^ORU_R01'),
      'OBR|1||F7|1^ECG^MDC|||20261123',
      'OBX|1|MA|131328^MDC_ECG_ELEC_POTL^MDC|1.1.1.1|1^2^3~4^5^6',
    ),
  )[0]?.observations[0]?.samples;
  t.match(multiplexed, { data: '1 2 3 4 5 6', count: 2, dimensions: 3 });
});

const alarmRows = (phase: string, facet1: string, rest: string[] = []): string[] => [
  'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||MON-12^ACME',
  'OBX|2||69642^MDC_DEV_ANALY_SAT_O2_VMD^MDC|1.1.0.0|||||||X',
  facet1,
  'OBX|4|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.1.2|84|262688^MDC_DIM_PERCENT^MDC|90-100|L|||R|||20261123081458+0100',
  `OBX|5|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|${phase}||||||R`,
  'OBX|6|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|active||||||R',
  ...rest,
];
const low =
  'OBX|3|ST|196674^MDC_EVT_LO_VAL_LT_LIM^MDC|1.1.1.1.1|SpO2 LOW|||L~PH~SP|||R|||20261123081500+0100';

t.test('pcd-04 - the facets of an alarm: what, where, how urgent, on what evidence', async (t) => {
  const [event] = run(
    er7(
      header('ORU^R40^ORU_R40'),
      pid,
      'OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100||||||||||||||||||||||^0&MON',
      ...alarmRows('start', low, [
        'OBX|7|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC|1.1.1.1.5|audio-paused~alert-acknowledged||||||R',
        'OBX|8|CWE|68480^MDC_ATTR_ALERT_SOURCE^MDC|1.1.1.1.6|69642^MDC_DEV_ANALY_SAT_O2_VMD^MDC||||||R',
      ]),
    ),
  );
  t.match(event, {
    kind: 'device-alarm',
    device: { identifiers: [{ value: 'MON-12' }] },
    alarm: {
      identifier: { value: 'A-1' },
      code: { codings: [{ code: '196674' }] },
      text: 'SpO2 LOW',
      priority: 'high',
      type: 'physiological',
      phase: 'start',
      state: 'active',
      inactivation: 'audio-paused alert-acknowledged',
      source: { codings: [{ code: '69642' }] },
      sourcePath: '1.1.1.1.1',
      devicePath: '1.1',
      raised: { value: '2026-11-23T08:15:00+01:00' },
      updated: { value: '2026-11-23T08:15:00+01:00' },
    },
  });
  t.same(
    event?.alarm?.evidence.map(({ code, value, referenceRange }) => [
      code?.codings[0]?.code,
      value,
      referenceRange,
    ]),
    [['150456', '84', '90-100']],
  );
});

t.test(
  'pcd-04 - through its phases an alarm keeps its identity, its beginning and its own time',
  async (t) => {
    const phases = ['start', 'continue', 'update', 'escalate', 'de-escalate', 'latched', 'end'];
    const alarms = phases.map((phase, i) => {
      const row = low.replace('081500', `08150${i}`);
      const obr29 = i === 0 ? '^0' : '^A-1&MON';
      return run(
        er7(
          header('ORU^R40^ORU_R40'),
          `OBR|1||A-${i + 1}^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100||||||||||||||||||||||${obr29}`,
          ...alarmRows(phase, row),
        ),
      )[0]?.alarm;
    });
    t.same(new Set(alarms.map((alarm) => alarm?.identifier?.value)), new Set(['A-1']));
    t.same(
      alarms.map((alarm) => alarm?.phase),
      ['start', 'continue', 'update', 'escalate', 'deescalate', 'latched', 'end'],
    );
    t.same(new Set(alarms.map((alarm) => alarm?.raised?.value)), new Set(['2026-11-23T08:15:00+01:00']));
    t.same(
      alarms.map((alarm) => alarm?.updated?.value.slice(17, 19)),
      ['00', '01', '02', '03', '04', '05', '06'],
    );
  },
);

t.test('pcd-04 - the number of the alarm in OBR-29 is read as EIP, and as EI', async (t) => {
  const numbers = (obr29: string, obr2 = '') => {
    const [event] = run(
      er7(
        header('ORU^R40^ORU_R40'),
        `OBR|1|${obr2}|A103^GW^00A0^EUI-64|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100${'|'.repeat(22)}${obr29}`,
        ...alarmRows('end', low),
      ),
    );
    const { alarm, order } = event ?? {};
    return [
      alarm?.identifier?.value,
      alarm?.identifier?.system,
      order?.parents.map(({ type }) => type).join(),
    ];
  };
  const gateway = 'urn:hilum:lab:GW';
  const [, world] = numbers('^A100&GW&00A0&EUI-64');
  t.same(numbers('^A100&GW&00A0&EUI-64'), ['A100', world, 'FILL']);
  t.same(numbers('A100^GW^00A0^EUI-64'), ['A100', world, 'FILL']);
  t.same(numbers('A100^OTHER^00A1^EUI-64')[0], 'A100');
  t.same(numbers('A100^OTHER^00A1^EUI-64')[2], '', 'whose order it is nobody says');
  t.same(numbers('A100^GW'), ['A100', gateway, 'FILL']);
  t.same(numbers('A100^EHR', 'P1^EHR'), ['A100', 'urn:hilum:lab:EHR', 'PLAC']);
  t.same(numbers('P100^A100'), ['A100', 'urn:hilum:lab', 'PLAC,FILL']);
  t.same(numbers('P100&EHR^A100&GW'), ['A100', gateway, 'PLAC,FILL']);
  t.same(numbers('A100')[0], 'A100');
});

t.test('pcd-04 - FHIR tells a later phase with its own time beside that of the beginning', async (t) => {
  const effective = (phase: string, obr7: string, obx14: string) => {
    const [event] = run(
      er7(
        header('ORU^R40^ORU_R40'),
        `OBR|1||A-2^MON|196616^MDC_EVT_ALARM^MDC|||${obr7}||||||||||||||||||||||^A-1&MON`,
        ...alarmRows(phase, low.replace('20261123081500+0100', obx14)),
      ),
    );
    const { entry } = JSON.parse(toBundleText(event as ClinicalEvent)) as {
      entry: { resource: Record<string, unknown> }[];
    };
    const told = entry.find(
      ({ resource }) => resource.identifier !== undefined && resource.component !== undefined,
    );
    return [told?.resource.effectiveDateTime, told?.resource.effectivePeriod];
  };
  const [begun, later] = ['20261123081500+0100', '20261123081600+0100'];
  const [start, end] = ['2026-11-23T08:15:00+01:00', '2026-11-23T08:16:00+01:00'];
  t.same(effective('start', begun, begun), [start, undefined]);
  t.same(effective('start', begun, later), [end, undefined], 'the row says when it began');
  for (const phase of ['continue', 'update', 'end', 'reset'])
    t.same(effective(phase, begun, later), [undefined, { start, end }], phase);
  t.same(effective('end', later, later), [end, undefined], 'nothing says when it began');
  t.same(effective('end', later, ''), [end, undefined]);
});

t.test('pcd-04 - a later phase without an earlier time does not say when the alarm began', async (t) => {
  const [event] = run(
    er7(
      header('ORU^R40^ORU_R40'),
      'OBR|1||A-2^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100||||||||||||||||||||||^A-1&MON',
      ...alarmRows('continue', low),
    ),
  );
  t.equal(event?.alarm?.raised, undefined);
  t.equal(event?.alarm?.updated?.value, '2026-11-23T08:15:00+01:00');
});

t.test(
  'pcd-04 - terms are known by name where numbers changed, were left out or stand in the wrong place',
  async (t) => {
    const forms: [string, string, string][] = [
      [
        '68165^MDC_ATTR_EVENT_PHASE^MDC',
        '68166^MDC_ATTR_ALERT_STATE^MDC',
        '68167^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC',
      ],
      ['EVENT_PHASE', 'ALARM_STATE', 'INACTIVATION_STATE'],
      [
        'MDC_ATTR_EVT_PHASE^68481^MDC',
        'MDC_ATTR_ALARM_STATE^68482^MDC',
        'MDC_ATTR_ALARM_INACTIVATION_STATE^68483^MDC',
      ],
    ];
    for (const [phase, state, inactivation] of forms) {
      const [event] = run(
        er7(
          header('ORU^R40^ORU_R40'),
          'OBR|1||A-1',
          'OBX|1||196940^MDC_EVT_FLUID_LINE_OCCL^MDC|1.0.0.0.1|||||||X',
          `OBX|2|ST|${phase}|1.0.0.0.3|tpoint||||||R`,
          `OBX|3|ST|${state}|1.0.0.0.4|latched||||||R`,
          `OBX|4|ST|${inactivation}|1.0.0.0.5|audio-off||||||R`,
        ),
      );
      t.match(event?.alarm, {
        code: { codings: [{ code: '196940' }] },
        phase: 'tpoint',
        state: 'latched',
        inactivation: 'audio-off',
        priority: '',
      });
    }
  },
);

t.test('pcd-04 - an event named by the value of the general alarm term', async (t) => {
  const row = 'OBX|3|CWE|196616^MDC_EVT_ALARM^MDC|1.1.1.1.1|197218^MDC_EVT_SYRINGE_FAULT^MDC||||||R';
  const [event] = run(er7(header('ORU^R40^ORU_R40'), 'OBR|1||A-1', ...alarmRows('start', row)));
  t.match(event?.alarm, { code: { codings: [{ code: '197218' }] }, text: 'MDC_EVT_SYRINGE_FAULT' });
});

t.test('pcd-04 - a word outside the vocabulary is left out and told, and lowers nothing', async (t) => {
  const made = (phase: string, priority: string, flags: string) => {
    const event = run(
      er7(
        header('ORU^R40^ORU_R40'),
        'OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100',
        `OBX|1|ST|196648^MDC_EVT_HI^MDC|1.1.1.1|HR HIGH|||${flags}|||F|||20261123081500+0100`,
        `OBX|2|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.2|${phase}||||||F`,
        `OBX|3|ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.1.1.3|${priority}||||||F`,
      ),
    )[0] as ClinicalEvent;
    const { alarm, provenance } = event;
    return [alarm?.phase, alarm?.priority, provenance?.remarks.length, classify(event).class];
  };
  const classify = compileClassifier(configSchema.parse({}));
  t.same(made('start', 'PH', ''), ['start', 'high', 0, 'stat']);
  t.same(made('De-Escalate', 'Low', ''), ['deescalate', 'low', 0, 'routine']);
  t.same(made('foo', 'crisis', ''), ['', '', 2, 'urgent']);
  t.same(made('start', 'crisis', 'PL'), ['start', '', 1, 'urgent'], 'not the lower of the two');
  t.same(made('start', 'crisis', 'PH'), ['start', 'high', 1, 'stat']);
});

t.test('pcd-04 - only a beginning says when the alarm was raised', async (t) => {
  const begun = (phase: string) =>
    run(
      er7(
        header('ORU^R40^ORU_R40'),
        'OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100',
        ...alarmRows(phase, low),
      ),
    )[0]?.alarm?.raised !== undefined;
  t.same(['', 'start', 'tpoint', 'present', 'foo', 'end'].map(begun), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

t.test('pcd-04 - without OBX-14 a later phase has the times of OBR-7 and OBR-8', async (t) => {
  const times = (phase: string, obr8 = '20261123093000+0100') => {
    const [event] = run(
      er7(
        header('ORU^R40^ORU_R40'),
        `OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||20261123092000+0100|${obr8}`,
        ...alarmRows(phase, low.replace('20261123081500+0100', '')),
      ),
    );
    return [event?.alarm?.raised?.value.slice(11, 16), event?.alarm?.updated?.value.slice(11, 16)];
  };
  t.same(times('end'), ['09:20', '09:30']);
  t.same(times('continue'), ['09:20', '09:30']);
  t.same(times('end', ''), [undefined, '09:20']);
  t.same(times('end', '20261123092000+0100'), [undefined, '09:20'], 'nothing says when it began');
  t.same(times('start'), ['09:20', '09:20']);
  t.same(times('start', ''), ['09:20', '09:20']);
});

t.test('pcd-04 - a state that is over is no beginning', async (t) => {
  const raised = (state: string) =>
    run(
      er7(
        header('ORU^R40^ORU_R40'),
        'OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100',
        low,
        `OBX|2|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|${state}||||||R`,
      ),
    )[0]?.alarm?.raised !== undefined;
  t.same(['active', '', 'inactive', 'latched', 'foo'].map(raised), [true, true, false, false, false]);
});

t.test(
  'pcd-04 - words of the state, the inactivation and the type that are not known are told',
  async (t) => {
    const made = (state: string, inactivation: string, type: string) => {
      const [event] = run(
        er7(
          header('ORU^R40^ORU_R40'),
          'OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100',
          ...alarmRows('start', low.replace('L~PH~SP', 'PH')).slice(0, -1),
          `OBX|7|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|${state}||||||R`,
          `OBX|8|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC|1.1.1.1.5|${inactivation}||||||R`,
          `OBX|9|ST|68485^MDC_ATTR_ALERT_TYPE^MDC|1.1.1.1.6|${type}||||||R`,
        ),
      );
      const told = (toBundleText(event as ClinicalEvent).match(/"valueString":"[^"]*"/g) ?? []).join();
      const { alarm, provenance } = event ?? {};
      return [
        alarm?.state,
        alarm?.inactivation,
        alarm?.type,
        provenance?.remarks.length,
        /silenced/.test(told),
      ];
    };
    t.same(made('active', 'audio_off~ALERT-ACKNOWLEDGED', 'ST'), [
      'active',
      'audio-off alert-acknowledged',
      'technical',
      0,
      false,
    ]);
    t.same(made('Latched', 'enabled', 'Physiological'), ['latched', 'enabled', 'physiological', 0, false]);
    t.same(made('', '', ''), ['', '', '', 0, false]);
    t.same(made('ON', 'silenced', 'LIMIT'), ['', '', '', 3, true], 'in FHIR as they were sent');
    t.same(made('active', 'silenced~audio-off', 'SP')[1], 'audio-off');
  },
);

t.test('pcd-04 - a further OBR with evidence is no alarm of its own', async (t) => {
  const events = run(
    er7(
      header('ORU^R40^ORU_R40'),
      pid,
      'OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100',
      ...alarmRows('start', low),
      'OBR|2||E-1^MON|150452^MDC_PULS_OXIM_PLETH^MDC|||20261123081450+0100',
      'OBX|1|NA|150452^MDC_PULS_OXIM_PLETH^MDC|1.1.1.3|1^2^3||||||R',
    ),
  );
  t.same(
    events.map(({ kind, alarm }) => [kind, alarm !== undefined]),
    [
      ['device-alarm', true],
      ['device-observation', false],
    ],
  );
});

const corpus = path.resolve(process.env.HILUM_CORPUS ?? '../shared/corpus', 'hl7v2');
const skip = existsSync(corpus) ? false : `no corpus at ${corpus}`;
const file = (name: string): ClinicalEvent | undefined => run(readFileSync(path.join(corpus, name)))[0];

t.test('pcd corpus - the watchdog alarm of a gateway', { skip }, async (t) => {
  t.match(file('draeger-acm/PCD04_watchdog.txt'), {
    kind: 'device-alarm',
    device: {
      identifiers: [{ system: 'urn:ietf:rfc3986', value: 'urn:uuid:f9bd67ba-10f9-11ea-bab1-0050b612afeb' }],
      components: [{ level: 'mds' }, { level: 'vmd' }],
    },
    alarm: {
      identifier: { value: '830' },
      phase: 'start',
      state: 'active',
      inactivation: 'enabled',
      priority: 'none',
      type: 'advisory',
      sourceLocation: '69837^MDC_TODO^MDC',
      raised: { value: '2019-11-27T14:56:35+01:00' },
    },
  });
});

t.test(
  'pcd corpus - personal health devices: EUI-64, compound rows, units, own times',
  { skip },
  async (t) => {
    const pressure = file('ipf/valid-bp-continua-wan.hl7v2');
    t.match(pressure?.device, {
      type: { codings: [{ code: '528391' }] },
      identifiers: [{ system: eui64, value: '0123456789ABCDEF' }],
      components: [{ path: '1', level: 'mds' }],
    });
    t.equal(pressure?.device?.components.length, 1, 'the compound blood pressure measures, it is no part');
    t.match(pressure?.observations[3], {
      value: '120',
      devicePath: '1',
      unitCode: { codings: [{}, { code: 'mm[Hg]' }] },
    });
    const oximeter = file('ipf/valid-oximeter-continua-wan.hl7v2');
    t.match(oximeter?.observations[1], { value: '80.5', effective: { value: '2009-07-15T07:07:07+00:00' } });
    t.match(oximeter?.times, { observed: { value: '2009-08-13T09:57:15+00:00' } });
    t.match(oximeter?.observations[2], { value: '', samples: { count: 10 } });
    for (const name of ['thermometer', 'glucose', 'fitness']) {
      const units = file(`ipf/valid-${name}-continua-wan.hl7v2`)?.observations.filter(
        ({ unit }) => unit !== '',
      );
      t.ok(units?.length);
      for (const { unit, unitCode } of units ?? []) t.equal(unitCode?.codings.at(-1)?.system, ucum, unit);
    }
  },
);

t.test('pcd-04 - a text of its own row is the text of the alarm, a time-out stays a row', async (t) => {
  const [event] = run(
    er7(
      header('ORU^R40^ORU_R40'),
      'OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||20261123081500+0100',
      'OBX|1|ST|196648^MDC_EVT_HI^MDC|1.1.1.1|HR HIGH|||PH|||F',
      'OBX|2|ST|68546^MDC_ATTR_ALERT_TEXT^MDC|1.1.1.2|**HR 145 > 120||||||F',
      'OBX|3|NM|67860^MDC_ATTR_CONFIRM_TIMEOUT^MDC|1.1.1.3|30||||||F',
    ),
  );
  t.match(event?.alarm, { text: '**HR 145 > 120', priority: 'high', evidence: { length: 0 } });
  t.equal(event?.observations.length, 3);
});
