/** The pages for people: their links lead somewhere, and their examples are understood. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parseSettings } from '../../gateway/settings.ts';
import { checkConfig } from '../../proto/config/check.ts';
import { projectRoot } from '../kit/paths.ts';

const pages = [
  'README.md',
  'deploy/INSTALL.md',
  'deploy/CONFIG.md',
  'gateway/normalize/README.md',
  'test/conformance/README.md',
];

const textOf = (page: string) => readFileSync(join(projectRoot, page), 'utf8');

/** As the usual renderers name a heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (page: string) =>
  [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading));

t.test('pages - every link leads to a file, and to a heading of it', async (t) => {
  for (const page of pages) {
    for (const [, target = ''] of textOf(page).matchAll(/\]\(([^)]+)\)/g)) {
      const [path = '', heading] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      t.ok(existsSync(join(projectRoot, file)), `${page}: ${target}`);
      if (heading !== undefined) t.ok(anchorsOf(file).includes(heading), `${page}: ${target}`);
    }
  }
});

t.test('pages - every YAML example is a config or settings of a gateway', async (t) => {
  for (const page of pages) {
    for (const [, yaml = ''] of textOf(page).matchAll(/```yaml\n(.*?)```/gs)) {
      t.ok(isConfig(yaml) || isSettings(yaml), `${page}: ${yaml}`);
    }
  }
});

t.test('pages - every code that doctor has stands in the table of INSTALL', async (t) => {
  const table = textOf('deploy/INSTALL.md');
  const codes = readdirSync(join(projectRoot, 'gateway'))
    .filter((name) => /^doctor.*\.ts$/.test(name))
    .flatMap((name) => [
      ...textOf(`gateway/${name}`).matchAll(
        /(?:add|finding)\((?:\s*'[a-z -]+',)?\s*'(?:warn|fail)',\s*'([a-z-]+)'/g,
      ),
    ])
    .map(([, code = '']) => code);
  t.ok(codes.length > 30, `${codes.length} codes`);
  for (const code of codes) t.ok(table.includes(`\`${code}\``), code);
});

t.test('pages - no token stands on a command line, where others see it', async (t) => {
  for (const page of [...pages, 'gateway/main.ts', 'gateway/doctor.ts'])
    t.notMatch(textOf(page), /--token \w/, page);
});

const isConfig = (yaml: string) => checkConfig(yaml).problems === undefined;

function isSettings(yaml: string): boolean {
  try {
    parseSettings(yaml, 'the example');
    return true;
  } catch {
    return false;
  }
}
