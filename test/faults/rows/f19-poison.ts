/** F19: messages that cannot be mapped, between good ones: each costs itself alone and says why. */
import { call } from '../../../control-plane/ctl/client.ts';
import { MllpClient } from '../../kit/mllp-client.ts';
import { Rig, send } from '../rig.ts';
import type { Row } from '../row.ts';

export const f19: Row = {
  id: 'F19',
  title: 'poison messages cost themselves alone',
  async run(context) {
    const poisons = context.short ? 60 : 1_000;
    const rig = new Rig(context);
    await rig.start();
    const good = send(rig, { first: 0, count: poisons * 9, connections: 8 });
    const client = await MllpClient.connect({ port: rig.mllpPort });
    let answered = 0;
    for (let n = 0; n < poisons; n += 1) {
      const { code } = await client.send(poison(n));
      if (code === 'AA') answered += 1;
    }
    await client.close();
    await good.done;
    await rig.drained();
    const connection = rig.admin();
    const { entries } = await call(connection, connection.client.listQuarantine, {
      gateway: '',
      site: '',
      source: '',
      all: true,
      limit: 0,
    });
    connection.close();
    const failures: string[] = [];
    const status = await rig.status();
    const quarantined = status?.custody.reduce((sum, one) => sum + one.quarantined, 0) ?? 0;
    // Some kinds of poison still say something: what is not quarantined must have become an event.
    const understood = (await rig.received()).filter(({ controlId }) =>
      controlId?.startsWith('POISON'),
    ).length;
    if (answered !== poisons) failures.push(`${answered} of ${poisons} poison messages were answered AA`);
    if (quarantined + understood !== poisons)
      failures.push(`${quarantined} quarantined and ${understood} understood of ${poisons}`);
    if (quarantined < poisons / 2) failures.push('the poison is not poisonous enough to show anything');
    if (entries.some(({ reason }) => reason === '')) failures.push('a quarantined record has no reason');
    const checked = await rig.oracle();
    return {
      failures: [...failures, ...checked.failures],
      figures: `poison ${poisons}, quarantined ${quarantined}, understood ${understood}, ${checked.summary}`,
    };
  },
};

/** A readable MSH, so that it is answered, and then what a mapper must not choke on. */
function poison(n: number): Buffer {
  const header = (type: string) => `MSH|^~\\&|P|P|R|R|20260101||${type}|POISON${n}|P|2.5.1\r`;
  const kinds = [
    `${header('ABC^XYZ')}ZZZ|1\r`,
    `${header('ORU^R01')}${'ZZ9|1\r'.repeat(11_000)}`,
    `${header('QBP^Q22')}QPD|x\r`,
    `${header('ORU^R01')}PID|1||\u00ff\u00fe\r${'NTE|1||x\r'.repeat(20)}`,
    `${header('ADT^A01')}${'PID'.repeat(3_000)}\r`,
    `${header('ORU^R01')}OBX|1|NM|${'&'.repeat(20_000)}|${'^'.repeat(20_000)}\r`,
  ];
  return Buffer.from(kinds[n % kinds.length] as string, 'latin1');
}
