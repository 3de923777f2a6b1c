import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { loadSettings } from '../../control-plane/settings.ts';
import { hashPassword } from '../../gateway/capture/mqtt/passwords.ts';
import { listenerTypes, parseSettings } from '../../gateway/settings.ts';
import { checkConfig } from '../../proto/config/check.ts';

const root = projectRoot(dirname(fileURLToPath(import.meta.url)));
const gatewayFile = join(root, 'deploy/settings/gateway.yaml');
const controlPlaneFile = join(root, 'deploy/settings/control-plane.yaml');
const siteFile = join(root, 'deploy/config/site.yaml');

/** From source and from dist/ alike. */
function projectRoot(here: string): string {
  const up = join(here, '../..');
  return up.endsWith('dist') ? dirname(up) : up;
}

t.test('gateway settings example - it says the defaults and nothing else', async (t) => {
  const settings = parseSettings(readFileSync(gatewayFile, 'utf8'), gatewayFile);
  t.strictSame(settings, parseSettings('{}', 'the defaults'));
});

t.test('control plane settings example - it says the defaults and nothing else', async (t) => {
  const { settings, file } = loadSettings(t.testdir(), controlPlaneFile);
  t.equal(file, controlPlaneFile);
  t.strictSame(settings, loadSettings(t.testdir(), undefined).settings);
});

t.test('settings examples - every commented key is one that is understood', async (t) => {
  const gateway = readFileSync(gatewayFile, 'utf8')
    .replace('mode: none  ', 'mode: required  ')
    .replace('scrypt$…', await hashPassword('pw'));
  const settings = parseSettings(uncommented(gateway), 'uncommented');
  t.match(settings, {
    listeners: {
      mllp: { tls: { certFile: 'lab.pem', keyFile: 'lab.key', caFile: 'lab-ca.pem', owner: 'j.doe' } },
      mqtt: { users: { 'icu-monitors': { publish: ['devices/icu/#'] } } },
    },
    destinations: {
      ehr: {
        tls: {
          caFile: 'hospital-ca.pem',
          certFile: 'hilum.pem',
          keyFile: 'hilum.key',
          serverName: 'ehr.example.org',
        },
      },
    },
    status: { listen: '127.0.0.1:9480' },
    journal: { reserve: '512MiB' },
    keyFile: 'key',
    uplink: { address: 'hilum.example.org:7443', proxy: 'http://proxy.example.org:3128' },
  });
  const directory = t.testdir({ 'settings.yaml': uncommented(readFileSync(controlPlaneFile, 'utf8')) });
  t.match(loadSettings(directory, undefined).settings, {
    advertise: 'hilum.example.org:7443',
    http: '127.0.0.1:7480',
    keyFile: '/etc/hilum/control-plane.key',
  });
});

t.test('config example - it is accepted by a gateway with the default listeners', async (t) => {
  const listeners = listenerTypes(parseSettings('{}', 'the defaults'));
  const checked = checkConfig(readFileSync(siteFile, 'utf8'), { fileName: siteFile, listeners });
  const config = 'config' in checked ? checked.config : undefined;
  t.strictSame(checked.problems, undefined);
  t.equal(config?.sources.lab?.listener, 'mllp');
  t.strictSame(Object.keys(config?.routes ?? {}), ['results-to-ehr']);
});

t.test('config example - every commented section can be uncommented', async (t) => {
  const checked = checkConfig(uncommented(readFileSync(siteFile, 'utf8')), { fileName: siteFile });
  t.strictSame(checked.problems, undefined);
  t.match(checked.config, {
    sources: { lab: { accept: { processingIds: ['P'], versions: ['2.3', '2.5.1'] } } },
    payloads: { pump: {} },
    devices: { 'kit-7': {} },
    once: { results: { 'lab-twice': { feeds: ['lab', 'lis-copy'] } }, alarms: { quiet: {} } },
  });
});

t.test('settings - a line below an empty mapping is told to be that', async (t) => {
  const told = (text: string) => {
    try {
      parseSettings(text, 'x.yaml');
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  t.match(
    told(
      'drainTimeout: 10s\nuplink: {}   # none\n  # address: a:1\n  proxy: http://proxy.example.org:3128\n',
    ),
    /x\.yaml:4:\d+ {2}this stands below "uplink: \{\}", which says that there is nothing; remove \{\} there/,
  );
  t.match(
    told('listeners:\n  ward:\n    users: {}\n      icu: { password: x }\n'),
    /:4:\d+ {2}this stands below "users: \{\}"/,
  );
  t.match(told('drainTimeout: 10s\n  uplink: {}\n'), /x\.yaml:\d+:\d+ {2}/, 'elsewhere as before');
  t.notMatch(told('drainTimeout: 10s\n  uplink: {}\n'), /stands below/);
});

/** Takes "# " off lines that hold a key, prose stays. */
function uncommented(text: string): string {
  return text
    .replace(
      /^( *)# ( *(?:- )?"?[A-Za-z][\w-]*: *\S.*| +[\w-]+: *)$/gm,
      (line, indent: string, key: string) =>
        /^ *(Read from|Times|Sizes)/.test(key) || / {2}answers /.test(key) ? line : `${indent}${key}`,
    )
    .replace(/^( *)# ([\w-]+:)$/gm, '$1$2');
}
