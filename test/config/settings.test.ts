/** Mistakes in a gateway's settings: where, what, and what to write instead. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadSettings as loadPlaneSettings } from '../../control-plane/settings.ts';
import { loadSettings, parseSettings } from '../../gateway/settings.ts';
import { settingsWarnings } from '../../gateway/settings-warnings.ts';

const mqtt = (more: string) => `listeners: { ward: { type: mqtt, listen: "127.0.0.1:0", ${more} } }`;

for (const [what, text, told] of [
  [
    'a password in plain text',
    mqtt('users: { u: { password: Secret.1 } }'),
    /^s\.yaml:1:81 {2}listeners\.ward\.users\.u\.password: is no password hash: write what "hilum-gateway hash-password" prints/,
  ],
  [
    'a user that nothing could let in',
    mqtt('users: { u: { publish: ["devices/#"] } }'),
    /listeners\.ward\.users\.u: it has no password, and this listener asks for no client certificates; write its/,
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
  [
    'a proxy whose password has a "%" that stands for nothing',
    'uplink: { proxy: "http://usr:50%off@proxy:3128" }',
    /uplink\.proxy: write http:\/\/host:port/,
  ],
  ['an address without a port', 'uplink: { address: hilum.example.org }', /uplink\.address: write host:port/],
  [
    'two listeners at one place',
    'listeners: { a: { type: mllp, listen: "127.0.0.1:2575" }, b: { type: mqtt, listen: "127.0.0.1:2575" } }',
    /listeners\.b\.listen: 127\.0\.0\.1:2575 is that of listeners\.a\.listen too; give each a port of its own/,
  ],
  [
    'a listener at all addresses, one of which is that of another one',
    'listeners: { a: { type: mllp, listen: "127.0.0.1:2575" }, b: { type: mllp, listen: "0.0.0.0:2575", tls: { mode: none, range: [10.0.0.0/8], reason: a, owner: b } } }',
    /listeners\.b\.listen: 0\.0\.0\.0:2575 and 127\.0\.0\.1:2575 \(listeners\.a\.listen\) meet; give each/,
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
    'a client certificate for a destination without its key',
    'destinations: { ehr: { tls: { caFile: ca.pem, certFile: a.pem } } }',
    /s\.yaml:1:\d+ {2}destinations\.ehr\.tls: a client certificate needs certFile and keyFile; add both/,
  ],
  [
    'a name of a destination that is none',
    'destinations: { ehr: { tls: { serverName: "https://ehr.example.org" } } }',
    /destinations\.ehr\.tls\.serverName: write a name, as in "ehr\.example\.org"/,
  ],
  [
    'a password that is a number, which is not shown',
    mqtt('users: { u: { password: 48151623 } }'),
    /^(?!.*48151623)s\.yaml:1:81 {2}listeners\.ward\.users\.u\.password: expected text, found something else/,
  ],
  [
    'a password in the place of a user',
    mqtt('users: { u: 48151623 }'),
    /^(?!.*48151623).*listeners\.ward\.users\.u: expected a mapping of keys, found something else/,
  ],
  [
    'a journal that takes nothing',
    'journal: { bytesMax: 1KiB }',
    /s\.yaml:1:22 {2}journal\.bytesMax: 1KiB is too little: at least 1MiB/,
  ],
  [
    'a listener that takes nothing',
    'listeners: { a: { type: mllp, listen: "127.0.0.1:2575", frameBytesMax: 0B } }',
    /listeners\.a\.frameBytesMax: 0B is too little: at least 1KiB/,
  ],
  [
    'a merge key',
    'listeners:\n  a: &a { type: mllp, listen: "127.0.0.1:1" }\n  b: { <<: *a, listen: "127.0.0.1:2" }',
    /s\.yaml:3:8 {2}listeners\.b: << \(taking over the keys of another place\) is not read here; write the keys out/,
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

t.test('settings - a password hash that was cut is none, before anything listens', async (t) => {
  const text = mqtt('users: { u: { password: "scrypt$truncated", publish: ["devices/#"] } }');
  t.throws(() => parseSettings(text, 's.yaml'), { message: /is no password hash/, exit: 78 });
});

t.test('settings - what is right is taken', async (t) => {
  const hash = `scrypt$16384$8$1$${'A'.repeat(24)}$${'B'.repeat(44)}`;
  const text = `${mqtt(`users: { u: { password: "${hash}", publish: ["devices/+/vitals/#"] } }`)}
uplink: { address: "hilum.example.org:7443", proxy: "http://usr:pw@proxy.example.org:3128" }`;
  t.match(parseSettings(text, 's.yaml'), { uplink: { address: 'hilum.example.org:7443' } });
});

t.test('settings - a user that a client certificate gives needs no password', async (t) => {
  const tls = 'tls: { mode: optional, certFile: a.pem, keyFile: a.key, caFile: ca.pem }';
  const text = mqtt(`${tls}, users: { pump-1: { publish: ["devices/%u/#"] } }`);
  t.match(parseSettings(text, 's.yaml').listeners, {
    ward: { users: { 'pump-1': { password: undefined } } },
  });
});

t.test('settings - a file is UTF-8 or refused; one without a word takes every default', async (t) => {
  const file = join(t.testdir(), 'settings.yaml');
  for (const load of [loadSettings, loadPlaneSettings]) {
    writeFileSync(file, Buffer.from('# kein Umlaut\nkeyFile: "/schl\xfcssel"\n', 'latin1'));
    t.throws(() => load('/nowhere', file), {
      code: 'settings-bad',
      message: /is not UTF-8, line 2\./,
      hint: /iconv -f WINDOWS-1252/,
      exit: 78,
    });
    writeFileSync(file, Buffer.from('keyFile: key\n', 'utf16le'));
    t.throws(() => load('/nowhere', file), { message: /is not UTF-8/, hint: /UTF-16/ });
    const defaults = load('/nowhere', undefined).settings;
    for (const nothing of ['', '\n', '# a comment\n\n  # and another', '\ufeff# one\n']) {
      writeFileSync(file, nothing);
      t.strictSame(load('/nowhere', file).settings, defaults);
    }
  }
});

t.test('settings - places of the control plane are host:port', async (t) => {
  const file = join(t.testdir(), 'settings.yaml');
  for (const text of ['grpc: localhost', 'advertise: hilum.example.org', 'http: "127.0.0.1:70000"']) {
    writeFileSync(file, text);
    t.throws(
      () => loadPlaneSettings('/nowhere', file),
      { code: 'settings-bad', message: /: write host:port/ },
      text,
    );
  }
  writeFileSync(file, 'grpc: "[::]:7443"\nadvertise: hilum.example.org:7443\nhttp: "localhost:0"');
  t.match(loadPlaneSettings('/nowhere', file).settings, { grpc: '[::]:7443' });
});

t.test('settings - what is most likely not meant is warned of', async (t) => {
  const told = (text: string) => settingsWarnings(parseSettings(text, 's.yaml'));
  t.same(told('listeners: {}'), ['listeners: there is none, so nothing is taken in.']);
  t.same(
    told(`listeners:
  lab: { type: mllp, listen: "127.0.0.1:2575", tls: { mode: none, certFile: a.pem, keyFile: a.key } }
  adt: { type: mllp, listen: "10.1.2.3:2576", tls: { mode: none, range: [0.0.0.0/0], reason: a, owner: b } }
  ward: { type: mqtt, listen: "127.0.0.1:1883", anonymous: {} }
`),
    [
      'listeners.lab.tls: mode none is without TLS, and the files there are not used: write mode: optional or required.',
      'listeners.adt.tls.range: it has every address: name those of the senders.',
      'listeners.ward: nobody may publish there: give it users, or anonymous, with publish.',
    ],
  );
  t.same(told('drainTimeout: 10s'), [], 'the defaults');
});
