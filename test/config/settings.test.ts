/** Mistakes in a gateway's settings: where, what, and what to write instead. */
import t from 'tap';
import { parseSettings } from '../../gateway/settings.ts';

const mqtt = (more: string) => `listeners: { ward: { type: mqtt, listen: "127.0.0.1:0", ${more} } }`;

for (const [what, text, told] of [
  [
    'a password in plain text',
    mqtt('users: { u: { password: Secret.1 } }'),
    /^s\.yaml:1:81 {2}listeners\.ward\.users\.u\.password: is no password hash: write what "hilum-gateway hash-password" prints/,
  ],
  [
    'a topic filter',
    mqtt('anonymous: { publish: ["devices/#/x"] }'),
    /publish\[0\]: "devices\/#\/x" is not a topic filter; \+ stands for one whole level/,
  ],
  [
    'a proxy without its scheme',
    'uplink: { proxy: "proxy.example.org:3128" }',
    /uplink\.proxy: write http:\/\/host:port/,
  ],
  [
    'a proxy with a blank',
    'uplink: { proxy: "http://usr:pw@prox y:3128" }',
    /uplink\.proxy: write http:\/\/host:port/,
  ],
  ['an address without a port', 'uplink: { address: hilum.example.org }', /uplink\.address: write host:port/],
  [
    'two listeners at one place',
    'listeners: { a: { type: mllp, listen: "127.0.0.1:2575" }, b: { type: mqtt, listen: "127.0.0.1:2575" } }',
    /listeners\.b\.listen: 127\.0\.0\.1:2575 is that of listeners\.a\.listen too; give each a port of its own/,
  ],
  [
    'the status page where a listener is',
    'listeners: { a: { type: mllp, listen: "127.0.0.1:2575" } }\nstatus: { listen: "127.0.0.1:2575" }',
    /s\.yaml:2:19 {2}status\.listen: .* is that of listeners\.a\.listen too/,
  ],
  [
    'client certificates without their issuers',
    'listeners: { a: { type: mllp, listen: "10.1.2.3:2575", tls: { mode: required, certFile: a, keyFile: b } } }',
    /required client certificates need caFile; add the issuers of those certificates, or take mode: optional/,
  ],
  [
    'a time that no timer waits for',
    'listeners: { a: { type: mllp, listen: "127.0.0.1:2575", frameTimeout: 25d } }',
    /listeners\.a\.frameTimeout: at most 24d/,
  ],
  ['a stop that no timer waits for', 'drainTimeout: 30d', /drainTimeout: at most 24d/],
  [
    'a number for host:port',
    'status: { listen: 2575 }',
    /status\.listen: expected text, found the number 2575(?!.*quotes)/,
  ],
] as const)
  t.test(`settings - ${what} is told`, async (t) => {
    t.throws(() => parseSettings(text, 's.yaml'), { code: 'settings-bad', message: told, exit: 78 });
  });

t.test('settings - what is right is taken', async (t) => {
  const text = `${mqtt('users: { u: { password: "scrypt$16384$8$1$AAAA$BBBB", publish: ["devices/+/vitals/#"] } }')}
uplink: { address: "hilum.example.org:7443", proxy: "http://usr:pw@proxy.example.org:3128" }`;
  t.match(parseSettings(text, 's.yaml'), { uplink: { address: 'hilum.example.org:7443' } });
});
