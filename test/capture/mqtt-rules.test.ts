/** The pure parts of the MQTT source: topic rules, the fixed-header guard, passwords, urgency. */
import t from 'tap';
import { Access } from '../../gateway/capture/mqtt/acl.ts';
import { Answers } from '../../gateway/capture/mqtt/answers.ts';
import { FixedHeaders } from '../../gateway/capture/mqtt/guard.ts';
import {
  hashPassword,
  isPasswordHash,
  PasswordGate,
  verifyPassword,
} from '../../gateway/capture/mqtt/passwords.ts';
import { filterCovers, filterMatches, isTopicFilter, isTopicName } from '../../gateway/capture/mqtt/topic.ts';
import { guessClass } from '../../gateway/capture/mqtt/urgency.ts';

t.test('mqtt acl - filters match as in section 4.7', async (t) => {
  const cases: [string, string, boolean][] = [
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['#', 'a/b', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/x', false], // [MQTT-4.7.2-1]
    ['+/monitor', '$SYS/monitor', false],
    ['$SYS/#', '$SYS/x', true],
    ['a/b', 'A/b', false],
  ];
  for (const [filter, topic, matches] of cases) {
    t.equal(filterMatches(filter.split('/'), topic.split('/')), matches, `${filter} ${topic}`);
  }
});

t.test('mqtt acl - a filter covers only what lies inside it', async (t) => {
  const cases: [string, string, boolean][] = [
    ['a/#', 'a/#', true],
    ['a/#', 'a', true],
    ['a/#', 'a/+/c', true],
    ['a/+', 'a/b', true],
    ['a/+', 'a/+', true],
    ['a/+', 'a/#', false],
    ['a/+/c', 'a/#', false],
    ['a/b', 'a/+', false],
    ['#', '$SYS/#', false],
    ['+/x', '#', false],
  ];
  for (const [allowed, asked, covers] of cases) {
    t.equal(filterCovers(allowed.split('/'), asked.split('/')), covers, `${allowed} ${asked}`);
  }
});

t.test('mqtt acl - names and filters that cannot be used', async (t) => {
  for (const bad of ['', 'a/+', '#', 'a\u0000', 'a\u0001', 'a/b/c/d/e/f/g/h/i', 'x\ufffd'])
    t.notOk(isTopicName(bad, 8), bad);
  for (const good of ['a', '/', 'a//b', 'ä/ß', '$SYS/x']) t.ok(isTopicName(good, 8), good);
  for (const bad of ['', 'a/#/b', 'a#', 'a/b+', '++']) t.notOk(isTopicFilter(bad, 8), bad);
  for (const good of ['#', '+', 'a/+/b/#', '/']) t.ok(isTopicFilter(good, 8), good);
});

t.test('mqtt acl - %u and %c are one whole level and cannot widen anything', async (t) => {
  const access = (clientId: string) => new Access(['site/%u/%c/#'], [], 'ward', clientId);
  t.ok(access('pump').mayPublish('site/ward/pump/x'));
  t.notOk(access('pump').mayPublish('site/ward/other/x'));
  for (const sly of ['+', '#', 'a/b', '']) t.notOk(access(sly).mayPublish('site/ward/a/b/x'), sly);
  t.notOk(new Access(['#'], ['#'], 'u', 'c').mayPublish('$SYS/x'));
  t.notOk(new Access(['#'], ['#'], 'u', 'c').maySubscribe('$SYS/#'));
});

const connect = Buffer.from('100d00044d5154540402003c000170', 'hex');
const limits = { connectBytesMax: 100, packetBytesMax: 1_000 };

t.test('mqtt guard - verdicts do not depend on how the bytes are cut', async (t) => {
  const cases: [string, string, string | undefined][] = [
    ['connect and ping', 'c000', undefined],
    ['first packet', '', undefined],
    ['QoS 3', '3604000174ff', 'malformed'],
    ['DUP with QoS 0 [MQTT-3.3.1-2]', '3803000174', 'malformed'],
    ['PUBREL flags [MQTT-2.2.2-2]', '60020001', 'malformed'],
    ['packet id 0 [MQTT-2.3.1-1]', '62020000', 'malformed'],
    ['type 0', '0000', 'malformed'],
    ['type 15', 'f000', 'malformed'],
    ['a server packet', '20020000', 'malformed'],
    ['PINGREQ with a body', 'c00100', 'malformed'],
    ['five length bytes', '308080808001', 'oversize'],
    ['over the publish cap', '30e907', 'oversize'],
    ['a big SUBSCRIBE', '827f', 'oversize'],
    ['second CONNECT [MQTT-3.1.0-2]', '100d', 'second-connect'],
  ];
  for (const [name, hex, verdict] of cases) {
    const bytes = Buffer.concat([connect, Buffer.from(hex, 'hex')]);
    for (const step of [1, 2, 7, bytes.length]) {
      const headers = new FixedHeaders(limits);
      let fault: string | undefined;
      for (let at = 0; at < bytes.length && !fault; at += step)
        fault = headers.feed(bytes.subarray(at, at + step));
      // Four continuation bytes are over any cap before they are malformed, unless they say zero.
      const expected = name === 'five length bytes' ? 'malformed' : verdict;
      t.equal(fault, expected, `${name}, ${step} at a time`);
    }
  }
});

t.test('mqtt guard - CONNECT flags and versions', async (t) => {
  const cases: [string, string | undefined][] = [
    ['100d00044d5154540402003c000170', undefined],
    ['100f00064d51497364700302003c000170', undefined],
    ['100d00044d5154548402003c000170', undefined], // mosquitto's bridge bit
    ['100d00044d5154540502003c000170', 'version'],
    ['100d00044d5154540302003c000170', 'version'],
    ['100d00044d5154550402003c000170', 'malformed'],
    ['100d00044d5154540403003c000170', 'malformed'], // reserved flag [MQTT-3.1.2-3]
    ['100d00044d515454041e003c000170', 'malformed'], // will QoS 3 [MQTT-3.1.2-14]
    ['100d00044d515454040a003c000170', 'malformed'], // will QoS without will [MQTT-3.1.2-13]
    ['100d00044d5154540442003c000170', 'malformed'], // password without user name [MQTT-3.1.2-22]
    ['c000', 'not-connect'],
    ['160301', 'tls'],
    ['474554202f6d71747420485454502f312e31', 'http'],
    ['110d', 'malformed'],
    ['1000', 'malformed'],
    ['10ffffff7f', 'oversize'],
  ];
  for (const [hex, verdict] of cases)
    t.equal(new FixedHeaders(limits).feed(Buffer.from(hex, 'hex')), verdict, hex);
});

t.test('mqtt answers - leave in order; after a refusal none', async (t) => {
  const answers = new Answers();
  const left: string[] = [];
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) =>
    answers.take(10, (error) => left.push(error ? `${name} refused` : name)),
  );
  if (!a || !b || !c || !d) throw new Error('four');
  answers.settle(b);
  t.same([left, answers.length, answers.bytes], [[], 4, 40]);
  answers.settle(a);
  t.same(left, ['a', 'b']);
  answers.settle(d);
  answers.settle(c, new Error('no'));
  t.same([left, answers.length, answers.bytes], [['a', 'b', 'c refused'], 0, 0]);
});

t.test('mqtt passwords - verify, refuse what is no hash, remember only what was right', async (t) => {
  const stored = await hashPassword('secret');
  t.ok(isPasswordHash(stored));
  t.ok(await verifyPassword('secret', stored));
  t.notOk(await verifyPassword('Secret', stored));
  for (const bad of ['', 'secret', 'scrypt$3$8$1$AAAAAAAAAAAAAAAA$AAAA', 'scrypt$99999999$8$1$AA==$AA==']) {
    t.notOk(await verifyPassword('secret', bad), bad);
  }
  const gate = new PasswordGate(1, 1);
  const verdicts = await Promise.all(
    ['secret', 'wrong', 'secret'].map((password) => gate.check('a', 'u', Buffer.from(password), stored)),
  );
  t.same(verdicts, ['right', 'wrong', 'busy'], 'one runs, one waits, the third is told to come again');
  t.equal(await gate.check('a', 'u', Buffer.from('secret'), stored), 'right');
  t.equal(await gate.check('a', 'u', Buffer.from('wrong'), stored), 'wrong');
});

t.test('mqtt passwords - addresses take turns, and the longest line yields its last place', async (t) => {
  const stored = await hashPassword('secret');
  const gate = new PasswordGate(1, 4);
  const settled: string[] = [];
  const check = async (address: string, name: string) => {
    const verdict = await gate.check(address, name, Buffer.from('wrong'), stored);
    settled.push(`${name} ${verdict}`);
  };
  await Promise.all([
    ...['a0', 'a1', 'a2', 'a3', 'a4', 'a5'].map((name) => check('a', name)),
    ...['b0', 'b1', 'b2'].map((name) => check('b', name)),
  ]);
  // One runs and four wait. Two of each fit; then a line as long as any other has no more room.
  const busy = settled.filter((one) => one.endsWith('busy'));
  t.same(busy.sort(), ['a3 busy', 'a4 busy', 'a5 busy', 'b2 busy']);
  const ran = settled.filter((one) => one.endsWith('wrong'));
  t.same(ran, ['a0 wrong', 'a1 wrong', 'b0 wrong', 'a2 wrong', 'b1 wrong']);
});

t.test('mqtt urgency - where a config has its own say, doubt goes up', async (t) => {
  const guess = (topic: string, text: string) =>
    guessClass(topic, Buffer.from(text), { isHint: true, isVital: () => false });
  t.equal(guess('devices/a', '{"heartRate":72}'), 'routine');
  t.equal(guess('devices/a', '{"alarm":{"priority":"high"}}'), 'stat');
  t.equal(guess('devices/a', '{"alarm":{"priority":"low"}}'), 'urgent');
  t.equal(guess('devices/a/alarm', 'anything'), 'urgent');
  t.equal(guess('devices/a', '{"heartRate":72,"alarms":[{"priority":"high"}]}'), 'stat');
  for (const none of ['null', 'false', '""', '[ ]'])
    t.equal(guess('devices/a', `{"heartRate":72,"alarm": ${none}}`), 'routine', none);
  t.equal(guess('devices/a', '{"readings":[{"interpretation":"HH"}]}'), 'stat');
  t.equal(guess('devices/a', '{"readings":[{"interpretation":"N"}]}'), 'routine');
  for (const flag of ['{"code":"HH"}', '["A","LL"]', '[{"code":"panic"}]', '{"coding":[{"code":"CH"}]}'])
    t.equal(guess('devices/a', `{"readings":[{"interpretation": ${flag}}]}`), 'stat', flag);
  t.equal(guess('devices/a', '{"alarm":{"priority":{"code":"high"}}}'), 'stat');
  t.equal(guess('devices/a', '{"interpretation":{"code":"H"},"site":"AA"}'), 'routine');
});
