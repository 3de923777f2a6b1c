/** A config that takes critical results and STAT orders out of `stat` may do so, and a person is told before. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { meaningOf, understand } from '../../gateway/meaning.ts';
import { checkConfig } from '../../proto/config/check.ts';
import { loweringWarnings } from '../../proto/config/lowering.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { projectRoot } from '../kit/paths.ts';
import { folderOf, runProgram, Site } from '../kit/site.ts';
import { er7 } from '../normalize/context.ts';

const icu = `event.encounter.location.pointOfCare == "ICU"`;
const critical = er7(
  'MSH|^~\\&|LAB||||20260301081500+0100||ORU^R01|M1|P|2.5.1',
  'PID|1||4711||X',
  'PV1|1|I|ICU^1^2',
  'OBR|1||F1|X',
  'OBX|1|NM|2823-3^^LN||7.1|mmol/L||HH|||F',
);

function configOf(yaml: string) {
  const checked = checkConfig(yaml);
  if (checked.problems !== undefined) throw new Error(JSON.stringify(checked.problems));
  return checked.config;
}

const rules = (...lines: [when: string, given: string][]) =>
  `classes:\n${lines.map(([when, given], at) => `  - { name: r${at}, when: '${when}', class: ${given} }\n`).join('')}`;

function classOf(yaml: string): string {
  const record = JournalRecord.fromPartial({
    source: 'mllp',
    protocol: 'mllp',
    raw: critical,
    capturedAtUs: 1n,
  });
  return understand(record, meaningOf(configOf(yaml), 0)).lane;
}

t.test('lowering - a rule that does not look at flags lowers the critical result, and says so', async (t) => {
  t.equal(classOf('{}'), 'stat');
  const raising = rules([icu, 'urgent']);
  t.equal(classOf(raising), 'urgent', 'it happens');
  t.match(loweringWarnings(configOf(raising)), [
    /^The class rule "r0" makes what it matches urgent, also critical results, STAT orders and their results and alarms of high priority, which are stat otherwise: put a rule /,
  ]);
});

t.test('lowering - what thought of it is not warned of', async (t) => {
  const flags = 'event.observations.exists(o, o.interpretation == "HH")';
  const priority = 'event.order.priority == "S"';
  const alarm = 'event.alarm.priority == "high"';
  const before = rules([flags, 'stat'], [priority, 'stat'], [alarm, 'stat'], [icu, 'urgent']);
  t.equal(classOf(before), 'stat', 'the rule before it decides');
  const quiet: Record<string, string> = {
    'rules before it make them stat': before,
    'it gives stat itself': rules([icu, 'stat']),
    'it is for kinds that are never stat': rules(['event.kind == "charge"', 'bulk']),
    'or for several of them': rules(['event.kind in ["charge", "schedule"]', 'bulk']),
    'no rules': '{}',
  };
  for (const [why, yaml] of Object.entries(quiet)) t.same(loweringWarnings(configOf(yaml)), [], why);
});

t.test('lowering - only what the rule can meet is named', async (t) => {
  const of = (yaml: string) => loweringWarnings(configOf(yaml)).join('\n');
  t.match(of(rules(['event.kind == "order"', 'routine'])), /also STAT orders and their results, which/);
  t.match(of(rules(['event.kind == "device-alarm"', 'urgent'])), /also alarms of high priority, which/);
  const looks = rules(['event.observations.all(o, o.interpretation == "")', 'bulk']);
  t.match(of(looks), /also STAT orders and their results, which/, 'it looks at flags, not at priorities');
  t.match(
    of(rules(['event.kind != "charge"', 'bulk'])),
    /critical results/,
    'a negation is not read as a limit',
  );
  t.match(of(rules(['event.kind == "charge" || event.kind == "order"', 'bulk'])), /critical results/);
  t.match(
    of(rules(['event.provenance.source == "x.priority"', 'bulk'])),
    /STAT orders/,
    'a text is no field',
  );
  t.match(
    of('classes: { defaults: false }'),
    /built-in class rules are off .* routine, also critical results/,
  );
});

t.test('lowering - what only the rules of "critical" mark is told of on its own', async (t) => {
  const flags = 'event.observations.all(o, o.interpretation in ["", "N"]) && event.order.priority != "S"';
  const limit = 'critical: { k: { code: "2823-3", unit: mmol/L, above: "6.2" } }\n';
  const of = (yaml: string) => loweringWarnings(configOf(yaml)).join('\n');
  const rule = (when: string) => rules([`event.kind == "observation" && ${when}`, 'urgent']);
  t.equal(of(rule(flags)), '', 'no critical rules');
  t.match(of(limit + rule(flags)), /also results that a rule of "critical" marks, which are stat otherwise/);
  t.equal(of(limit + rule(`${flags} && event.observations.all(o, o.critical.rule == "")`)), '');
});

t.test('lowering - the configs that the product ships warn of nothing', async (t) => {
  const folder = join(projectRoot, 'deploy', 'config');
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  t.ok(files.length > 0);
  for (const name of files)
    t.same(loweringWarnings(configOf(readFileSync(join(folder, name), 'utf8'))), [], name);
});

t.test('lowering - check, test and push say it on standard error and go on', async (t) => {
  const folder = folderOf(t);
  const file = join(folder, 'site.yaml');
  writeFileSync(file, rules([icu, 'urgent']));
  const checked = await runProgram('ctl', ['config', 'check', file]);
  const json = await runProgram('ctl', ['config', 'check', file, '-o', 'json']);
  t.match(JSON.parse(json.stdout), {
    valid: true,
    problems: [],
    warnings: checked.stderr.trim().split('\n'),
  });
  t.equal(checked.code, 0);
  t.match(checked.stderr, /The class rule "r0" makes what it matches urgent, also critical results/);
  const tested = await runProgram('ctl', ['config', 'test', folderOf(t), '--config', file]);
  t.match(tested.stderr, /The class rule "r0"/);
  const site = await Site.start(t);
  const pushed = await site.ctl('config', 'push', file, '--site', site.site, '--reason', 'test');
  t.equal(pushed.code, 0);
  t.match(pushed.stderr, /The class rule "r0"/);
});
