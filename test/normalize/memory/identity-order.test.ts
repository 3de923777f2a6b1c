/** Identity over messages that are sent again: what was undone since stays undone, and is told. */
import t from 'tap';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { type Adt, adt, lab } from './adt.ts';
import { Rows, take } from './site.ts';

const cx = (value: string) => `${value}^^^HOSP&1.2.4&ISO^MR`;

class Feed {
  readonly rows = new Rows();
  #sequence = 0;

  adt(of: Adt): ClinicalEvent {
    return this.#take(adt(of), 'adt');
  }

  survivorOf(value: string): (string | undefined)[] {
    return this.#take(lab({ ids: cx(value) }), 'lab').identityLinks.flatMap(({ surviving }) =>
      surviving.map((one) => one.value),
    );
  }

  #take(raw: Buffer, source: string): ClinicalEvent {
    this.#sequence += 1;
    return take(this.rows, this.#sequence, raw, source)[0] as ClinicalEvent;
  }
}

const merge: Adt = { trigger: 'A40', ids: cx('B'), mrg: cx('A'), at: '0900' };
const parted: Adt = { trigger: 'A37', ids: cx('A'), other: cx('B'), at: '1000' };

t.test('merge - one that is sent again after it was undone joins nobody, and says so', async (t) => {
  const feed = new Feed();
  feed.adt(merge);
  t.same(feed.survivorOf('A'), ['B']);
  feed.adt(parted);
  const replayed = feed.adt(merge);
  t.match(replayed.identityConflicts, [{ field: 'merge-undone', other: { sequence: 3n } }]);
  t.same(feed.survivorOf('A'), []);
});

t.test('merge - a new one after it was undone counts, also when a whole feed is sent again', async (t) => {
  const feed = new Feed();
  feed.adt(merge);
  feed.adt(parted);
  const again = feed.adt({ ...merge, at: '1100' });
  t.same(again.identityConflicts, []);
  t.same(feed.survivorOf('A'), ['B']);
  for (const of of [merge, parted]) feed.adt(of);
  t.same(feed.survivorOf('A'), [], 'as far as the feed has come');
  feed.adt({ ...merge, at: '1100' });
  t.same(feed.survivorOf('A'), ['B']);
});

t.test('link - one that is sent again after it was undone links nobody', async (t) => {
  const feed = new Feed();
  const link: Adt = { trigger: 'A24', ids: cx('A'), other: cx('B'), at: '0900' };
  feed.adt(link);
  feed.adt(parted);
  t.match(feed.adt(link).identityConflicts, [{ field: 'merge-undone' }]);
  t.equal(feed.adt({ ...link, at: '1030' }).identityConflicts.length, 0);
});
