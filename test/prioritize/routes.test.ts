import t from 'tap';
import { takeFailed } from '../../proto/config/cel.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { routes } from './kit.ts';

const config = `
sources: { lab: { listener: mllp }, adt: { listener: adt } }
destinations:
  ehr: { type: mllp, address: 'ehr:2575' }
  archive: { type: mllp, address: 'archive:2575' }
routes:
  results: { when: event.kind == "observation", sources: [lab], to: ehr }
  urgent: { when: event.class == "stat", to: [ehr, archive] }
  broken: { when: double(event.status) > 0.0, to: archive }
`;

const event = (fields: Parameters<typeof ClinicalEvent.fromPartial>[0]) => ClinicalEvent.fromPartial(fields);

t.test('routes - an event goes where its route leads', async (t) => {
  const match = routes(config);
  t.same(match(event({ kind: 'observation', status: '0', provenance: { source: 'lab' } })), [
    { route: 'results', destination: 'ehr' },
  ]);
  t.same(match(event({ kind: 'admission', status: '0', provenance: { source: 'adt' } })), []);
});

t.test('routes - a route of other sources does not match', async (t) => {
  t.same(routes(config)(event({ kind: 'observation', status: '0', provenance: { source: 'adt' } })), []);
});

t.test('routes - each destination is named once, under the first route', async (t) => {
  const found = routes(config)(
    event({ kind: 'observation', class: 'stat', status: '0', provenance: { source: 'lab' } }),
  );
  t.same(found, [
    { route: 'results', destination: 'ehr' },
    { route: 'urgent', destination: 'archive' },
  ]);
});

t.test('routes - a predicate that fails does not match and is told', async (t) => {
  takeFailed();
  const match = routes(config);
  t.same(match(event({ kind: 'order', status: 'final' })), []);
  t.same(takeFailed(), ['route broken']);
});

t.test('routes - a route without a condition takes everything', async (t) => {
  const match = routes("destinations: { e: { type: mllp, address: 'e:1' } }\nroutes: { all: { to: e } }");
  t.same(match(event({})), [{ route: 'all', destination: 'e' }]);
});
