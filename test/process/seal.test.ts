/** What is sealed comes back, only in its place and only with its key; damage costs the message that it hit. */
import t from 'tap';
import {
  createOpener,
  createSealer,
  Damaged,
  manyOverheadBytes,
  messagesOf,
  type OpenedMany,
} from '../../gateway/process/seal.ts';

const key = Buffer.alloc(32, 7);
const segment = { number: 5, salt: Buffer.alloc(16, 9) };
const salts = (number: number) => (number === segment.number ? segment.salt : undefined);
const place = 'records|1|42|0';

function codeOf(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    if (error instanceof Damaged) return error.code;
    throw error;
  }
}

const head = Buffer.from('head of the row');
const messages = ['one', 'a second message', '', 'the third, and the longest of them'].map((text) =>
  Buffer.from(text),
);
const lengths = messages.map(({ length }) => length);
const bodyBytes = lengths.reduce((sum, length) => sum + length, 0);

function sealedMany(parts: readonly Buffer[] = messages, sealer = createSealer(key, segment)): Buffer {
  const row = Buffer.alloc(
    head.length + manyOverheadBytes(parts.length) + parts.reduce((sum, { length }) => sum + length, 0),
  );
  head.copy(row);
  sealer.sealMany(
    row,
    head.length,
    place,
    parts.map(({ length }) => length),
    parts,
  );
  return row;
}

function openMany(row: Buffer, where = place, opener = createOpener(key, salts)): OpenedMany {
  return opener.openMany(row, head.length, where, lengths);
}

/** Of each message its text, or the code of its damage. */
function told(opened: OpenedMany): string[] {
  return messagesOf(opened, lengths).map((one) => (one instanceof Damaged ? one.code : one.toString()));
}

t.test('seal - one thing opens in its place, with its key, as it was', (t) => {
  const row = createSealer(key, segment).seal(place, Buffer.from('text'));
  t.notOk(row.includes('text'));
  const opener = createOpener(key, salts);
  t.equal(opener.open(place, row).toString(), 'text');
  t.equal(
    codeOf(() => opener.open('records|1|43|0', row)),
    'authentication',
  );
  t.equal(
    codeOf(() => createOpener(Buffer.alloc(32, 8), salts).open(place, row)),
    'authentication',
  );
  t.equal(
    codeOf(() => createOpener(key, () => undefined).open(place, row)),
    'segment',
  );
  for (const at of row.keys()) {
    const flipped = Buffer.from(row);
    flipped[at] = (flipped[at] as number) ^ 0x10;
    t.match(
      codeOf(() => opener.open(place, flipped)),
      at === 0 ? 'format' : 'checksum',
      `byte ${at}`,
    );
  }
  t.end();
});

t.test('seal - many come back together, in their order', (t) => {
  const row = sealedMany();
  for (const text of messages) if (text.length > 0) t.notOk(row.includes(text));
  const opened = openMany(row);
  t.same(
    told(opened),
    messages.map((one) => one.toString()),
  );
  t.equal(opened.plain.toString(), messages.join(''));
  t.end();
});

t.test('seal - many are sealed the same however what holds them is cut', (t) => {
  const whole = Buffer.concat(messages);
  const cut = [whole.subarray(0, 5), whole.subarray(5, 6), whole.subarray(6)];
  const row = Buffer.from(sealedMany());
  const other = Buffer.alloc(row.length);
  head.copy(other);
  createSealer(key, segment).sealMany(other, head.length, place, lengths, cut);
  t.ok(row.equals(other));
  t.end();
});

t.test('seal - a flipped byte costs many nothing but the message that it is in', (t) => {
  const row = sealedMany();
  const texts = messages.map((one) => one.toString());
  const body = row.length - bodyBytes;
  const header = head.length + 17;
  for (const at of row.keys()) {
    const flipped = Buffer.from(row);
    flipped[at] = (flipped[at] as number) ^ 0x10;
    const seen = told(openMany(flipped));
    if (at >= body) {
      const ends = lengths.map((_, n) => lengths.slice(0, n + 1).reduce((sum, length) => sum + length, body));
      const hit = ends.findIndex((end) => at < end);
      t.same(seen, texts.with(hit, 'checksum'), `byte ${at}, in message ${hit}`);
    } else if (at >= header) t.same(seen, texts, `byte ${at}, in a digest or a tag`);
    // Before that it is what all of them are bound to.
    else
      t.equal(seen.filter((one, n) => one === texts[n]).length, 0, `byte ${at}, in what stands before them`);
  }
  t.end();
});

t.test('seal - two flips cost both their messages; one in a message and one in the digests cost all', (t) => {
  const row = sealedMany();
  const body = row.length - bodyBytes;
  const flip = (...places: number[]) => {
    const flipped = Buffer.from(row);
    for (const at of places) flipped[at] = (flipped[at] as number) ^ 1;
    return told(openMany(flipped));
  };
  t.same(flip(body, row.length - 1), ['checksum', 'a second message', '', 'checksum']);
  // Nothing says any more which of the others are genuine.
  t.same(flip(body, head.length + 17 + 16), ['checksum', 'checksum', 'authentication', 'authentication']);
  t.end();
});

t.test('seal - whoever changes a message and its digest, but has no key, changes nothing unseen', (t) => {
  const row = sealedMany();
  const other = sealedMany([Buffer.from('two'), ...messages.slice(1)]);
  const body = row.length - bodyBytes;
  const digests = head.length + 17;
  // Under the same nonce (another life of the same image) the first message's bytes and digest, as they would be.
  other.copy(row, body, body, body + 3);
  other.copy(row, digests, digests, digests + 16);
  t.same(told(openMany(row)), Array(4).fill('authentication'));
  t.end();
});

t.test('seal - many do not open elsewhere, with another key or life, or cut short', (t) => {
  const row = sealedMany();
  const all = (code: string) => lengths.map(() => code);
  t.same(told(openMany(row, 'records|1|43|0')), all('authentication'));
  t.same(told(openMany(row, place, createOpener(Buffer.alloc(32, 8), salts))), all('authentication'));
  t.same(
    told(
      openMany(
        row,
        place,
        createOpener(key, () => undefined),
      ),
    ),
    all('segment'),
  );
  t.same(told(openMany(row.subarray(0, -1))), all('format'));
  t.same(told(openMany(Buffer.concat([row, Buffer.alloc(1)]))), all('format'));
  t.same(told(openMany(row.subarray(0, head.length))), all('format'));
  t.end();
});

t.test('seal - messages larger than a piece of work come back, and cost themselves alone', (t) => {
  const large = [Buffer.alloc(700_000, 'a'), Buffer.from('small'), Buffer.alloc(300_000, 'b')];
  const sizes = large.map(({ length }) => length);
  const row = sealedMany(large);
  const opener = createOpener(key, salts);
  const whole = opener.openMany(row, head.length, place, sizes);
  t.equal(whole.damaged.size, 0);
  t.ok(whole.plain.equals(Buffer.concat(large)));
  row[row.length - 10] = (row[row.length - 10] as number) ^ 1;
  const { plain, damaged } = opener.openMany(row, head.length, place, sizes);
  t.same([...damaged.keys()], [2]);
  t.ok(plain.subarray(0, 700_005).equals(Buffer.concat(large.slice(0, 2))));
  t.end();
});

t.test('seal - no nonce is used twice', (t) => {
  const sealer = createSealer(key, segment);
  const nonces: string[] = [];
  const counterOf = (row: Buffer, at: number) => row.readBigUInt64BE(at + 9);
  for (let n = 0; n < 3; n += 1) {
    nonces.push(String(counterOf(sealer.seal(place, head), 0)));
    const many = counterOf(sealedMany(messages, sealer), head.length);
    // That of the messages, and the next one for their digests.
    nonces.push(String(many), String(many + 1n));
  }
  t.equal(new Set(nonces).size, 9, nonces.join(' '));
  t.end();
});
