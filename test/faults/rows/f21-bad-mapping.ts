/**
 * F21: a mapping that loops, throws or explodes costs its own records: they are answered, kept whole in
 * quarantine and delivered once by a replay under a mended config; other sources go on meanwhile.
 */
import { call } from '../../../control-plane/ctl/client.ts';
import { MllpClient } from '../../kit/mllp-client.ts';
import { until } from '../../kit/wait.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

const source = 'sources: { mllp: { listener: mllp }, stress: { listener: stress } }\n';

/** Each predicate is within its own bounds; together they take many seconds for a report of 400 results. */
const looping = `${source}classes:
${Array.from(
  { length: 1_500 },
  (_, n) =>
    `  - { name: r${n}, class: bulk, when: 'event.observations.exists(a, event.observations.exists(b, a.value == "x${n}"))' }`,
).join('\n')}
`;

/** Of a form in which its dates do not come. */
const throwing = `${source}mappings:
  dates:
    source: stress
    set: { extensions.opened: { from: ZPI-2, date: DD.MM.YYYY } }
`;

export const f21: Row = {
  id: 'F21',
  title: 'a mapping that loops, throws or explodes costs its own records',
  async run(context) {
    const rig = new Rig(context, { listeners: { stress: 'type: mllp, frameBytesMax: 31MiB' } });
    await rig.start();
    const failures: string[] = [];
    const must = (holds: boolean, what: string) => {
      if (!holds) failures.push(what);
    };
    const stress = await MllpClient.connect({
      port: rig.ports.get('stress') as number,
      answerTimeoutMs: 60_000,
    });
    const each = context.short ? 4 : 10;
    let n = 1_000_000;
    const figures: string[] = [];
    let asides = 0;
    for (const [name, yaml, make] of [
      ['loops', looping, (id: string) => report(id, 400)],
      ['throws', throwing, (id: string) => report(id, 1)],
    ] as const) {
      const outcome = await rig.push(yaml);
      must(outcome === 'applied', `the config that ${name} was not applied: ${outcome}`);
      const others = send(rig, { first: n + 100_000, count: context.short ? 200 : 2_000, connections: 2 });
      for (let times = 0; times < each; times += 1, n += 1) {
        const controlId = `BAD${n}`;
        const code = await rig.tell(stress, { n, controlId, bytes: make(controlId) });
        must(code === 'AA', `one that ${name} was answered ${code}`);
      }
      await others.done;
      asides += each;
      await until(async () => (await quarantined(rig)).length >= asides, {
        what: `all ${asides} in quarantine`,
        timeoutMs: 100_000,
        everyMs: 100,
      });
      const states = await circuits(rig);
      must(
        states.every((one) => one.source === 'stress'),
        'another source has a circuit, too',
      );
      if (name === 'loops') must(states[0]?.state === 'open', 'the circuit of what loops did not open');
      figures.push(`${each} that ${name}`);
      n += 200_000;
    }
    // 30 MiB of codes are more than the normalizer may hold as objects: no config can mend that.
    const exploding = await stress.send(report('EXPLODES', 2, 'a^b^L~'.repeat(2_600_000)));
    must(exploding.code === 'AA', `what explodes was answered ${exploding.code}`);
    await until(async () => (await quarantined(rig)).length === asides + 1, {
      what: 'what explodes in quarantine',
      timeoutMs: 100_000,
      everyMs: 100,
    });
    const entries = await quarantined(rig);
    const codes = new Set(entries.map(({ code }) => code));
    must(
      [...codes].every((code) => code.startsWith('mapping-')),
      `quarantined as ${[...codes].join(', ')}`,
    );
    must(
      entries.every(({ reason, source: from }) => reason !== '' && from === 'stress'),
      'one has no reason or another source',
    );
    must((await rig.push(source)) === 'applied', 'the mended config was not applied');
    must((await circuits(rig)).length === 0, 'a circuit stayed open under another config');
    await replay(
      rig,
      entries.filter(({ messageControlId }) => messageControlId !== 'EXPLODES').map(({ id }) => id),
    );
    await until(async () => (await quarantined(rig)).length === 1, {
      what: 'the replayed ones having left quarantine',
      timeoutMs: 100_000,
      everyMs: 100,
    });
    await stress.close();
    await rig.drained();
    // Lost, doubled and altered are the oracle's: what was put aside is in the ledger like everything else.
    const checked = await rig.oracle();
    return {
      failures: [...failures, ...checked.failures],
      figures: `${figures.join(', ')}, 1 that explodes, ${checked.summary}`,
    };
  },
};

async function quarantined(rig: Rig) {
  const connection = rig.admin();
  const request = { gateway: '', site: '', source: '', all: false, limit: 0 };
  const { entries } = await call(connection, connection.client.listQuarantine, request);
  connection.close();
  return entries;
}

async function replay(rig: Rig, ids: string[]): Promise<void> {
  const connection = rig.admin();
  await call(connection, connection.client.replayQuarantine, { ids, reason: 'mended' });
  connection.close();
}

async function circuits(rig: Rig) {
  return (await rig.status())?.circuits ?? [];
}

function report(controlId: string, results: number, value = ''): Buffer {
  const lines = [
    `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|${controlId}|P|2.5.1`,
    'PID|1||4711^^^HOSP^MR||CANARYPATIENT^QUILLON',
    'ZPI|1|1999-12-31',
    'OBR|1||F1|2823-3^Potassium^LN',
    ...Array.from(
      { length: results },
      (_, at) =>
        `OBX|${at + 1}|${value === '' ? 'NM' : 'CWE'}|2823-3^Potassium^LN||${value || at}|mmol/L|||||F`,
    ),
  ];
  return Buffer.from(`${lines.join('\r')}\r`, 'latin1');
}
