import { checkConfig } from '../../proto/config/check.ts';
import { compilePredicate } from '../../proto/config/cel.ts';
import { viewEvent } from '../../proto/config/event-view.ts';
import { formatProblems } from '../../proto/config/document.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
const cases = [`sources: { lab: { listener: mlp } }`, `sources: { lab: { listener: mllp, zone: Europe/Berln } }`, `budgets: { stat: 5 }`, `budgets: { stat: 5 s }`, `budgets: { stat: 1h }`,
`classes:\n  - name: icu\n    when: event.encounter.location.pointOfCar == "ICU"\n    class: stat\n`,
`classes:\n  - name: icu\n    when: >\n      event.kind == "observation" &&\n      event.encounter.location.pointOfCar == "ICU"\n    class: sta\n`,
`classes:\n  - name: icu\n    when: >\n      event.kind == "observation" &&\n      event.encounter.location.pointOfCar == "ICU"\n    class: stat\n`,
`classes:\n  defaults: false\n  rules:\n  - name: icu\n    when: "event.kind == \\"observations\\""\n    class: stat\n`,
`classes:\n  - name: icu\n    when: event.class == "stat"\n    class: stat\n  - { name: icu, when: 'true', class: bulk }`,
`routes:\n  a: { when: event.kind, to: ehr }\n  b: { to: [ehr, x], sources: [lba] }\nsources: { lab: { listener: mllp } }\ndestinations: { ehr: { type: mllp, address: 'x:0' } }`,
`routes:\n  a: { when: event.kind, to: ehr }\n  b: { to: [ehr, x], sources: [lba] }\nsources: { lab: { listener: mllp } }\ndestinations: { ehr: { type: mllp, address: 'x:1' } }`,
`destinations: { ehr: { type: mlp, address: 'x:1' } }`, `destinations: { ehr: { address: 'x:1' } }`,`sources: { a: {listener: mllp}, b: {listener: mllp}}`, `codes: { t: { from: L, to: http://loinc.org, map: { 007: 2345-7, GLU: { code: 2345-7, display: Glucose }, X: 5 } } }`,
`{}`, `sources: { a: {listener: mqtt, topics: ['a/#/b'] }}`, 'source: {}', `routes: { r: { when: 5, to: 5 } }`, `classes: [ { name: a, when: 'true', clas: stat } ]`, `classes: {default: true}`, `classes: x`, `routes: { a: { when: event.encounter.class == 'E' && has(event.alarm), to: x} }`];
for (const t of cases) { const r = checkConfig(t, { listeners: ['mllp', 'mqtt'] }); console.log(JSON.stringify(t).slice(0, 110), '\n   ', r.problems ? formatProblems(r.problems, 'c.yaml').replaceAll('\n', '\n    ') : JSON.stringify(r.config)); }
const ev = ClinicalEvent.fromPartial({ kind: 'observation', encounter: { location: { pointOfCare: 'ICU' } }, provenance: { source: 'lab' }, observations: [{ code: { codings: [{ system: 'http://loinc.org', code: '8867-4' }] }, value: '150.5', valueType: 'NM', interpretations: ['H', 'HH'] }] });
for (const p of ['event.encounter.location.pointOfCare == "ICU"', 'event.kind == "observation" && event.encounter.location.pointOfCare in ["ICU", "ED"] && event.observations.exists(o, o.code.codings.exists(c, c.code == "8867-4"))', 'event.source == "lab"', 'event.alarm.priority == "high"', 'event.observations.exists(o, o.valueType == "NM" && double(o.value) > 140.0)', 'event.observations.exists(o, "HH" in o.interpretations)', 'event.times.capturedAtUs > 0', 'event.patient.identifiers.size() == 0', 'event.budgetMs == 0', 'event.order.service.codings.all(c, c.code == "x")']) {
  const r = compilePredicate(p); if (r.problem) { console.log(p, r.problem); continue; }
  const q = r.predicate; let n = 0; for (let i = 0; i < 20000; i++) n += +q.test(ev);
  let t = process.hrtime.bigint(); for (let i = 0; i < 200000; i++) n += +q.test(ev); const us = Number(process.hrtime.bigint() - t) / 2e8;
  const v = viewEvent(ev); t = process.hrtime.bigint(); for (let i = 0; i < 200000; i++) n += +q.test(v); const us2 = Number(process.hrtime.bigint() - t) / 2e8;
  console.log(us.toFixed(2), us2.toFixed(2), q.test(ev), q.failures, p);
}
const big = ClinicalEvent.fromPartial({ observations: Array.from({ length: 20000 }, () => ({ value: 'x', interpretations: ['N'] })) });
for (const p of ['event.observations.exists(o, o.value == "y")', 'event.observations.exists(o, o.interpretations.exists(i, i == "HH"))', 'event.observations.exists(o, event.observations.exists(p, p.value == "y"))', 'event.observations.exists(o, size(event.observations) == 1)', 'event.observations.exists(o, o.interpretations.exists(i, o.interpretations.exists(j, j == i)))', 'event.observations.exists(o, o.interpretations.exists(i, event.observations.exists(j, j.value == i)))','event[event.kind] == "x"', 'event.kind.matches("x")', 'event.observations == []', 'event.patient == event.patient', '[[1],[2]].size() == 2', '{"a": 1}.size() == 1', 'event.kind == "observation" ? true : "x"', 'event.constructor == "x"', 'event.observations[0].value == "x"', 'event.observations.value == "x"', 'event.kind > 5','event.observations.exists(o, o.value > 5.0)', 'event.kind == "x" and true','event.kind = "x"', '(event.kind == ""', "'a", '', 'event', 'foo == 1', 'size(event.kind, 1)', 'event.observations.exists(o, o.interpretations == "HH")', 'event.alarm == null', 'event.kind.startsWith(5)', 'event.kind == "" &', 'cel.bind(x, event.kind, x == "")', 'event.kind in "x"','event.observations.exists(event.kind, true)', 'true || event.foo == 1']) {
  const r = compilePredicate(p); if (r.problem) { console.log('REFUSED', p, '\n      ', JSON.stringify(r.problem)); continue; }
  const t = Date.now(); const m = r.predicate.test(big); console.log('OK', p, m, r.predicate.failures, Date.now() - t, 'ms');
}
