/** A token never takes a gateway away from its site, nor the name of one that is connected. */
import { join } from 'node:path';
import t from 'tap';
import { folderOf, runProgram, Site } from '../kit/site.ts';

const site = await Site.start(t);

t.test('taken name - of a gateway that is connected, or of another site, there is no token', async (t) => {
  const here = await site.ctl('token', 'create', '--site', 'north', '--gateway', 'north');
  t.match([here.code, here.stdout], [1, '']);
  t.match(here.stderr, /The gateway "north" of this site is connected[\s\S]*Leave --gateway out/);
  const elsewhere = await site.ctl('token', 'create', '--site', 'south', '--gateway', 'north');
  t.match([elsewhere.code, elsewhere.stdout], [1, '']);
  t.match(elsewhere.stderr, /There is a gateway "north" at site "north"/);
});

t.test('taken name - a token that was made before the name was taken enrolls nobody', async (t) => {
  const tokens = [];
  for (const where of ['south', 'west'])
    tokens.push((await site.ctl('token', 'create', '--site', where, '--gateway', 'ward')).stdout);
  const enroll = (token: string) => {
    const data = join(folderOf(t), 'gateway');
    return runProgram('gateway', ['enroll', '--data', data, '--token', '-'], { input: token });
  };
  t.equal((await enroll(tokens[0] ?? '')).code, 0);
  const second = await enroll(tokens[1] ?? '');
  t.equal(second.code, 3);
  t.match(second.stderr, /there is a gateway "ward" at site "south"[\s\S]*without a gateway name/);
  const gateways = await site.ask<{ gateway: string; site: string }[]>('gateways');
  t.match(
    gateways.filter(({ gateway }) => gateway === 'ward'),
    [{ site: 'south' }],
  );
});

t.test('taken name - of one that is gone it is given anew, and what it had is refused', async (t) => {
  await site.gateway?.stop();
  const token = await site.ctl('token', 'create', '--site', 'north', '--gateway', 'north');
  t.equal(token.code, 0, token.stderr);
  const data = join(folderOf(t), 'gateway');
  const enrolled = await runProgram('gateway', ['enroll', '--data', data, '--token', '-'], {
    input: token.stdout,
  });
  t.equal(enrolled.code, 0, enrolled.stderr);
  await site.startGateway();
  await site.gateway?.waitForLine(/"code":"uplink-ended".*"reason":"not-authenticated"/, { from: 'stderr' });
  t.not((await site.status()).uplink.state, 'connected');
});
