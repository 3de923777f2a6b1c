/** Room on the volume: doctor says what the gateway does, not what the volume looks like. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { runProgram, Site } from '../kit/site.ts';
import { fillVolume, smallVolume, takeAll } from '../kit/volume.ts';
import { until } from '../kit/wait.ts';

const mebibyte = 1024 ** 2;
const volume = smallVolume(t, 64);
const skip = volume === undefined ? 'mounting a small tmpfs needs root' : false;
const settings = (journal: string) =>
  `journal: { ${journal} }\nlisteners: { lab: { type: mllp, listen: "127.0.0.1:0" } }\n`;

interface Finding {
  state: string;
  code: string;
  message: string;
  todo: string;
}

async function disk(site: Site): Promise<Finding[]> {
  const { stdout } = await runProgram('gateway', ['doctor', '--data', site.gatewayData, '-o', 'json']);
  return (JSON.parse(stdout) as (Finding & { check: string })[]).filter(({ check }) => check === 'disk');
}

t.test('doctor - the disk is full where the gateway refuses, and only there', { skip }, async (t) => {
  const gatewayData = join(volume as string, 'gateway');
  const site = new Site(t, { gatewayData, settings: settings('memoryBytesMax: 8MiB') });
  await site.startGateway();
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const make = messageMaker({ kind: 'oru', seed: 1 });
  let sent = 0;
  const send = () => client.send(make(sent++).bytes).then(({ code }) => code);

  const filler = fillVolume(volume as string, 3 * mebibyte);
  t.equal(await send(), 'AA');
  t.equal((await site.status()).journal.state, 'open', 'the reserve is held, so there is room');
  t.match(await disk(site), [{ state: 'ok', code: 'disk-ok', message: /free on the volume/ }]);

  await site.gateway?.stop();
  t.match(await disk(site), [{ state: 'ok' }], 'also where it is stopped: the reserve is its own');

  rmSync(filler);
  await site.startGateway();
  const foreign = takeAll(volume as string);
  await until(async () => (await site.status()).journal.state === 'reserve', {
    what: 'intake being refused',
    timeoutMs: 30_000,
  });
  t.match(await disk(site), [{ state: 'fail', code: 'disk-full', message: /^0 MiB.*: intake is refused$/ }]);
  rmSync(foreign);
  await until(async () => (await site.status()).journal.state === 'open', {
    what: 'intake being open',
    timeoutMs: 30_000,
  });
  t.match(await disk(site), [{ state: 'ok', code: 'disk-ok' }]);
});

t.test(
  'doctor - what may be remembered has to leave room for messages on the volume',
  { skip },
  async (t) => {
    const gatewayData = join(volume as string, 'remembers');
    const site = new Site(t, { gatewayData, settings: settings('bytesMax: 1GiB') });
    const told = await disk(site);
    const over = told.find(({ code }) => code === 'memory-over-volume');
    t.match(over, { state: 'warn', message: /320 MiB .*journal\.memoryBytesMax.* reserve 6 MiB.* \d\d MiB/ });
    const [, fits = ''] = /memoryBytesMax to (\d+MiB) or less/.exec(over?.todo ?? '') ?? [];
    site.useSettings(settings(`memoryBytesMax: ${fits}`));
    t.notMatch(await disk(site), [{ code: 'memory-over-volume' }], `${fits} fits`);
    t.equal((await disk(site)).length, 1);
  },
);
