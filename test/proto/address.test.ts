/** host:port: one reading for settings, configs, tokens and commands. */
import t from 'tap';
import { addressOf, readAddress, serverNameOf, writeAddress } from '../../proto/address.ts';
import * as words from '../../proto/config/words.ts';

const good = {
  '127.0.0.1:2575': { host: '127.0.0.1', port: 2575 },
  '0.0.0.0:0': { host: '0.0.0.0', port: 0 },
  '[::1]:7443': { host: '::1', port: 7443 },
  '[2001:db8::1]:65535': { host: '2001:db8::1', port: 65_535 },
  '[::ffff:10.1.2.3]:2575': { host: '::ffff:10.1.2.3', port: 2575 },
  'ehr.example.org:2575': { host: 'ehr.example.org', port: 2575 },
  'ehr_server:2575': { host: 'ehr_server', port: 2575 },
};

t.test('what is an address is read, and written as it was', async (t) => {
  for (const [text, address] of Object.entries(good)) {
    t.same(readAddress(text), address, text);
    t.equal(writeAddress(addressOf(text)), text);
  }
});

t.test('what is none is none', async (t) => {
  const bad = [
    '',
    'ehr',
    'ehr:',
    ':2575',
    'ehr:65536',
    'ehr:-1',
    '::1:7443',
    '[::1]',
    '[ehr]:2575',
    '[10.1.2.3]:1',
  ];
  for (const text of [...bad, 'a b:1', 'ehr:2575 ', 'http://ehr:2575', 'ehr/x:1', 'ü:1', 'ehr:1\n']) {
    t.equal(readAddress(text), undefined, JSON.stringify(text));
    t.throws(() => addressOf(text), RangeError);
  }
});

t.test('a config takes every address that a delivery can go to, and no other', async (t) => {
  for (const [text, { port }] of Object.entries(good))
    t.equal(words.address.safeParse(text).success, port > 0, text);
  t.notOk(words.address.safeParse('ehr').success);
});

t.test('an IP address is no server name', async (t) => {
  for (const host of ['10.1.2.3', '::1', '2001:db8::1']) t.equal(serverNameOf(host), '');
  t.equal(serverNameOf('ehr_server'), 'ehr_server');
});
