/** SIGUSR1, by which others turn their logs, opens a debugger in Node: a port without a login, to all that is in memory. */
import t from 'tap';
import { Site } from '../kit/site.ts';

t.test('daemons - SIGUSR1 opens no debugger, and they go on', async (t) => {
  const site = await Site.start(t);
  for (const daemon of [site.gateway, site.plane]) {
    daemon?.signal('SIGUSR1');
    daemon?.signal('SIGUSR1');
  }
  await site.connected();
  t.match(await site.ask('custody'), []);
  await site.gateway?.stop();
  await site.plane?.stop();
  t.notMatch(site.printed(), /debugger|inspector/i);
  t.match(site.printed(), /"code":"stopped"/);
});
