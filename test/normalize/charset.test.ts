import iconv from 'iconv-lite';
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { testContext } from './context.ts';

function message(charset: string, family: Buffer): Buffer {
  const head = `MSH|^~\\&|LAB|H|E|H|20261123||ADT^A01|M1|P|2.5||||||${charset}\rPID|1||7||`;
  return Buffer.concat([Buffer.from(head), family, Buffer.from('^GIVEN||19640812|F\r')]);
}

interface Read {
  family: string;
  given: string;
  charset: string;
  remarks: string[];
}

function read(raw: Uint8Array, ofSource?: string): Read {
  const event = normalizeHl7v2(raw, testContext({ charset: ofSource })).events[0];
  const name = event?.patient?.names[0];
  return {
    family: name?.family ?? '',
    given: name?.given[0] ?? '',
    charset: event?.provenance?.charset ?? '',
    remarks: event?.provenance?.remarks ?? [],
  };
}

// Names in the charset's own letters; in the walked ones a trail byte is a delimiter.
const cases: [declared: string, encoding: string, text: string, name: string][] = [
  ['UNICODE UTF-8', 'utf8', 'Müller漢', 'UTF-8'],
  ['UTF-8', 'utf8', 'Müller', 'UTF-8'],
  ['', 'utf8', 'Müller', 'UTF-8'],
  ['8859/1', 'latin1', 'Müller', 'ISO-8859-1'],
  ['8859/2', 'iso-8859-2', 'Łukasz', 'ISO-8859-2'],
  ['8859/5', 'iso-8859-5', 'Иванов', 'ISO-8859-5'],
  ['8859/7', 'iso-8859-7', 'Παππάς', 'ISO-8859-7'],
  ['8859/9', 'iso-8859-9', 'Yılmaz', 'ISO-8859-9'],
  ['8859/15', 'iso-8859-15', 'Œuvre€', 'ISO-8859-15'],
  ['ISO_8859-2', 'iso-8859-2', 'Łukasz', 'ISO-8859-2'],
  ['ISO_IR 100', 'latin1', 'Müller', 'ISO-8859-1'],
  ['ISO IR144', 'iso-8859-5', 'Иванов', 'ISO-8859-5'],
  ['ISO IR192', 'utf8', 'Müller漢', 'UTF-8'],
  ['WINDOWS-1252', 'windows-1252', 'Œuvre€', 'WINDOWS-1252'],
  ['CP1250', 'windows-1250', 'Łukasz', 'WINDOWS-1250'],
  ['WIN1251', 'windows-1251', 'Иванов', 'WINDOWS-1251'],
  ['KOI8-R', 'koi8-r', 'Иванов', 'KOI8-R'],
  ['CP850', 'cp850', 'Müller', 'CP850'],
  ['EUC-KR', 'cp949', '김똠', 'CP949'],
  ['GB 18030-2000', 'gb18030', '俓乗', 'GB18030'],
  ['BIG-5', 'big5', '功許', 'BIG5'],
  ['KS X 1001', 'cp949', '김똠', 'CP949'],
  ['SHIFT_JIS', 'shift_jis', '表ソ能', 'SHIFT_JIS'],
];

t.test('charset - under ASCII bytes from 80 up are of the alternate that is declared [HL7 2.9.2.18]', (t) => {
  const polish = iconv.encode('Łukasz', 'iso-8859-2');
  for (const declared of ['~8859/2', 'ASCII~8859/2', 'ASCII~~8859/2~ISO IR101']) {
    const found = read(message(declared, polish));
    t.match(found, { family: 'Łukasz', charset: 'ISO-8859-2', remarks: [] }, declared);
  }
  t.match(read(message('~GB 18030-2000', iconv.encode('俓乗', 'gb18030'))), { family: '俓乗', remarks: [] });
  t.match(read(message('~UNICODE UTF-8', Buffer.from('Müller'))), { family: 'Müller', remarks: [] });
  t.match(read(message('~8859/2', Buffer.from('Müller'))), {
    family: 'Müller',
    remarks: [/^MSH-18: says iso-8859-2, but all is UTF-8/],
  });
  t.match(read(message('~8859/2', Buffer.from('MULLER'))), { charset: 'ASCII', remarks: [] });
  for (const [declared, family, charset] of [
    ['8859/1~8859/2', '£ukasz', 'ISO-8859-1'],
    ['~8859/2~8859/5', '£ukasz', 'WINDOWS-1252'],
  ] as const)
    t.match(read(message(declared, polish)), {
      family,
      remarks: [`MSH-18: several charsets, of which each byte could be, read as ${charset}`],
    });
  t.match(read(message('8859/1~8859/1', polish)), { family: '£ukasz', remarks: [] });
  t.match(read(message('~8859/2~8859/5', Buffer.from('Müller'))), { family: 'Müller', remarks: [] });
  t.match(read(message('~KLINGON', polish)), { remarks: [/^MSH-18: unknown charset/] });
  t.end();
});

t.test('charset - names come through in the charset that MSH-18 declares', (t) => {
  for (const [declared, encoding, text, name] of cases) {
    const found = read(message(declared, iconv.encode(text, encoding)));
    t.same(
      found,
      { family: text, given: 'GIVEN', charset: name, remarks: [] },
      declared || 'nothing declared',
    );
  }
  t.end();
});

t.test('charset - trail bytes that equal delimiters do not part a name', (t) => {
  t.ok(iconv.encode('表', 'shift_jis').includes(0x5c), 'Shift_JIS: the escape character');
  t.ok(iconv.encode('功', 'big5').includes(0x5c), 'Big5: the escape character');
  t.ok(iconv.encode('乗', 'gb18030').includes(0x5c) || iconv.encode('俓', 'gb18030').includes(0x5e));
  const odd = Buffer.from([0x83, 0x7c, 0x8d, 0x5c]); // ポ with |, 構 with \
  t.equal(read(message('SHIFT_JIS', odd)).family, 'ポ構');
  t.end();
});

t.test('charset - ISO 2022 Japanese is walked through its escape sequences', (t) => {
  // ESC $ B, two characters whose bytes are ASCII letters and signs, ESC ( B
  const kanji = Buffer.from([0x1b, 0x24, 0x42, 0x3b, 0x33, 0x45, 0x44, 0x21, 0x7c, 0x1b, 0x28, 0x42]);
  const found = read(message('ASCII~ISO IR87', kanji));
  t.equal(found.family.slice(0, 2), '山田');
  t.equal(found.given, 'GIVEN');
  t.equal(found.charset, 'ISO-2022-JP');
  t.end();
});

t.test('charset - bytes that are not UTF-8 are read as windows-1252 with a remark', (t) => {
  for (const declared of ['UNICODE UTF-8', '', 'ASCII']) {
    const found = read(message(declared, Buffer.from('Müller', 'latin1')));
    t.equal(found.family, 'Müller');
    t.match(found.remarks[0], /^MSH-18: /);
  }
  t.end();
});

t.test('charset - an escape sequence in bytes that are not UTF-8 is read as windows-1252, too', (t) => {
  for (const declared of ['UNICODE UTF-8', '', 'ASCII']) {
    const found = read(message(declared, Buffer.from('M\\XFC\\ller')));
    t.equal(found.family, 'Müller');
    t.same(found.remarks, ['MSH-18: an escape sequence that is not UTF-8, read as windows-1252']);
    const bytewise = read(message(declared, Buffer.from('M\\XC3\\\\XBC\\ller')));
    t.equal(bytewise.family, 'Müller');
    t.same(bytewise.remarks, []);
  }
  t.equal(read(message('8859/2', Buffer.from('M\\XB3\\'))).family, 'Mł');
  t.equal(
    read(message('GB 18030-2000', Buffer.from('\\XCDF5\\'))).family,
    '王',
    'in the charset that was declared',
  );
  t.end();
});

t.test('charset - an unknown name is read as UTF-8, else windows-1252, with a remark', (t) => {
  const found = read(message('ISO IR 999', Buffer.from('Müller')));
  t.equal(found.family, 'Müller');
  t.match(found.remarks[0], /unknown charset, read as UTF-8/);
  t.equal(read(message('KLINGON', Buffer.from('Müller', 'latin1'))).family, 'Müller');
  t.end();
});

t.test('charset - UTF-16 with its byte order mark is read', (t) => {
  const text = message('', Buffer.from('Müller')).toString('utf8');
  const raw = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
  t.equal(read(raw).family, 'Müller');
  t.end();
});

t.test(
  'charset - UTF-8 from a sender who declares a Western charset is read as what it is, with a remark',
  (t) => {
    for (const declared of ['8859/1', '8859/15', 'WINDOWS-1252']) {
      const found = read(message(declared, Buffer.from('Müller-Éluard')));
      t.match(found, { family: 'Müller-Éluard', charset: 'UTF-8' });
      t.match(found.remarks, [/^MSH-18: says .*, but all is UTF-8/]);
      // One letter that is none in UTF-8, and the declared charset holds.
      t.match(read(message(declared, Buffer.from('MÃ©ller-é', 'latin1'))), {
        family: 'MÃ©ller-é',
        remarks: [],
      });
    }
    t.equal(
      read(message('8859/5', Buffer.from('ü'))).charset,
      'ISO-8859-5',
      'elsewhere letters may follow so',
    );
    t.end();
  },
);

t.test('charset - UTF-8 under any other declared charset is read as what it is, with a remark', (t) => {
  const sent: [declared: string, text: string][] = [
    ['GB 18030-2000', '钾'],
    ['GBK', '血钾 ×10⁹/L'],
    ['BIG-5', '王小明'],
    ['SHIFT_JIS', '山田'],
    ['EUC-JP', '山田'],
    ['KS X 1001', '김철수'],
    ['~ISO IR87', '山田'],
    ['8859/2', 'Łukasz Żółć'],
    ['8859/2', 'ó °'],
    ['8859/5', 'Иванов'],
    ['8859/7', 'Παππάς'],
    ['8859/8', 'כהן'],
    ['8859/9', 'Yıldız'],
    ['WIN1251', 'Иванов'],
    ['KOI8-R', 'Иванов'],
    ['TIS-620', 'สมชาย'],
  ];
  for (const [declared, text] of sent) {
    const found = read(message(declared, Buffer.from(text)));
    t.match(found, { family: text, given: 'GIVEN', charset: 'UTF-8' }, `${declared}: ${text}`);
    t.match(found.remarks, [/^MSH-18: says (?!ascii).*, but all is UTF-8/], declared);
  }
  t.end();
});

t.test('charset - what is valid as UTF-8 by accident stays text of the declared charset', (t) => {
  const sent: [declared: string, encoding: string, text: string][] = [
    ['8859/5', 'iso-8859-5', 'ТА'],
    ['8859/5', 'iso-8859-5', 'УМ'],
    ['8859/2', 'iso-8859-2', 'ÓŁ'],
    ['WIN1251', 'windows-1251', 'ТА'.replace('А', '°')],
    ['GBK', 'gbk', '一些'],
    ['GBK', 'gbk', '些'],
    ['GB 18030', 'gbk', '联通'],
    ['SHIFT_JIS', 'shift_jis', 'ﾂｱ'],
  ];
  for (const [declared, encoding, text] of sent) {
    const bytes = iconv.encode(text, encoding);
    t.match(read(message(declared, bytes)), { family: text, remarks: [] }, `${declared}: ${text}`);
  }
  t.end();
});

/** JIS X 0208 by its two-byte numbers, from ESC $ B to the given return. */
const kanji = (numbers: string, back: string): Buffer =>
  Buffer.concat([Buffer.from('\u001b$B'), Buffer.from(numbers, 'hex'), Buffer.from(`\u001b(${back}`)]);
const yamada = '3b334544';
const taro = '42404f3a';

t.test('charset - text that returns to JIS X 0201 Roman is parted as text that returns to ASCII', (t) => {
  for (const [declared, back] of [
    ['ISO IR14~ISO IR87', 'J'],
    ['~ISO IR87', 'J'],
    ['~ISO IR87', 'B'],
  ] as const) {
    const family = Buffer.concat([
      kanji(yamada, back),
      Buffer.from('^'),
      kanji(taro, back),
      Buffer.from('^^^^^L^I~'),
      kanji('253f', back),
      Buffer.from('\\S\\'),
    ]);
    const event = normalizeHl7v2(message(declared, family), testContext()).events[0];
    t.match(
      event?.patient?.names,
      [
        { family: '山田', given: ['太郎'], representation: 'I' },
        { family: 'タ^', given: ['GIVEN'] },
      ],
      `${declared}, ESC ( ${back}`,
    );
    t.same(event?.provenance?.remarks, []);
  }
  // Where MSH-2 declares other separators, they are the signs of the set.
  const other = Buffer.from(
    'MSH|^!?&|LAB|H|E|H|20261123||ADT^A01|M1|P|2.5||||||!ISO IR87\rPID|1||7||\u001b(J~\\\u001b(B^G\r',
  );
  t.equal(read(other).family, '‾¥');
  t.end();
});

t.test('charset - the spellings of a name mean the same', (t) => {
  const spelled: [name: string, names: string[]][] = [
    ['CP949', ['CP949', 'MS949', 'KSC5601', 'KS C 5601-1987', 'ISO IR149', 'euc-kr', 'KS X 1001']],
    ['GB18030', ['CP936', 'MS936', 'GB18030-2000', 'gb 18030-2005', 'EUC-CN', 'gb2312']],
    ['BIG5', ['MS950', 'CP950', 'Big5', 'CNS 11643-1992']],
    ['SHIFT_JIS', ['CP932', 'MS932', 'Windows-31J', 'x-sjis', 'Shift JIS']],
    ['ISO-2022-JP', ['ISO IR87', 'ISO 2022 IR 87', 'ISO_IR 87', 'iso-2022-jp', 'JIS X 0202', 'JAS2020']],
    ['TIS620', ['TIS620', 'TIS-620', 'ISO IR166']],
    ['ISO-8859-8', ['8859/8', 'ISO-8859-8-I', 'ISO_8859-8:1988']],
    ['ISO-8859-1', ['88591', 'ISO8859-1', 'iso8859_1', 'ISO_8859-1:1987', 'latin1']],
    ['ISO-8859-9', ['LATIN5', 'ISO 8859/9']],
    ['UTF-8', ['"UTF-8"', 'UNICODE^UTF-8', 'utf_8']],
    ['WINDOWS-1252', ['Cp1252', 'windows 1252', 'WIN1252', 'MS1252']],
  ];
  for (const [name, names] of spelled) {
    for (const one of names)
      t.match(read(message(one, Buffer.from('A'))), { charset: name, remarks: [] }, one);
  }
  for (const none of ['KLINGON', '8859/12', '8859/17', 'CP1259', 'constructor', '???']) {
    t.match(read(message(none, Buffer.from('A'))).remarks, [/unknown charset/], none);
  }
  t.end();
});

t.test(
  'charset - bytes 80 to 9F under 8859/1, 8859/9 and 8859/11 are those of Windows, with a remark',
  (t) => {
    for (const [declared, page, text] of [
      ['8859/1', 'windows-1252', '3.5 – 5.1 € “Müller”'],
      ['8859/9', 'windows-1254', 'İyi – €'],
      ['8859/11', 'windows-874', 'สม…'],
    ] as const) {
      const found = read(message(declared, iconv.encode(text, page)));
      t.match(found, { family: text, charset: page.toUpperCase() });
      t.match(found.remarks, [/^MSH-18: says iso-8859-\d+, but has bytes \(80 to 9F\) of windows-/]);
      t.same(read(message(declared, iconv.encode('ü', page))).remarks, []);
    }
    const escaped = read(message('8859/1', Buffer.from('3 \\X96\\ 5')));
    t.match(escaped, { family: '3 – 5', charset: 'ISO-8859-1' });
    t.same(escaped.remarks, ['MSH-18: an escape sequence that is not ISO-8859-1, read as windows-1252']);
    t.end();
  },
);

t.test('charset - what a charset has no letter for is told', (t) => {
  for (const [declared, bytes] of [
    ['8859/2', [0x4d, 0x96]],
    ['SHIFT_JIS', [0x82, 0x20, 0x41]],
    ['~ISO IR87', [0x8e, 0x52]],
    ['BIG5', [0xff, 0xfe]],
    ['CP1252', [0x81]],
  ] as const) {
    const found = read(message(declared, Buffer.from(bytes)));
    t.match(found.remarks, [/^MSH-18: bytes that are no letters of /], declared);
  }
  t.end();
});

t.test('charset - escape sequences of ISO 2022 that nothing announces are read, with a remark', (t) => {
  for (const declared of ['', 'UNICODE UTF-8', '8859/1', 'KLINGON']) {
    const found = read(message(declared, Buffer.concat([kanji('467c5c7c', 'B'), Buffer.from('7')])));
    t.match(found, { family: '日檄7', given: 'GIVEN', charset: 'ISO-2022-JP' }, declared);
    t.match(found.remarks, [/^MSH-18: (says .*|empty), but has escape sequences of ISO 2022/], declared);
  }
  // Of katakana a byte may be the component separator.
  const kana = (of: string) => message(of, Buffer.from('\u001b(I6^\u001b(B'));
  for (const declared of ['', 'KLINGON', '8859/1']) {
    t.match(read(kana(declared)), { family: 'ｶﾞ', given: 'GIVEN', charset: 'ISO-2022-JP' }, declared);
    t.match(read(kana(declared)).remarks, [/has escape sequences of ISO 2022/], declared);
  }
  for (const declared of ['JIS X 0202', 'JAS2020', '~JIS X 0202'])
    t.match(read(kana(declared)), { family: 'ｶﾞ', given: 'GIVEN', remarks: [] }, declared);
  t.match(read(message('', Buffer.from('\u001b(Inside\u001b('))), { charset: 'ASCII' });
  const mixed = Buffer.concat([kanji(yamada, 'B'), Buffer.from('ü')]);
  t.match(read(message('', mixed)), { family: '山田ü' });
  t.match(read(message('8859/1~ISO IR87', Buffer.concat([kanji(yamada, 'B'), Buffer.from('ü', 'latin1')]))), {
    family: '山田ü',
    remarks: [],
  });
  t.match(read(message('', Buffer.from('\u001b$Baround'))), { charset: 'ASCII', family: '\u001b$Baround' });
  t.end();
});

t.test('charset - JIS X 0212 and katakana of eight and seven bits are read', (t) => {
  const ding = Buffer.from('\u001b$(D0!\u001b(B'); // 丂
  t.match(read(message('~ISO IR87~ISO IR159', Buffer.concat([kanji(yamada, 'B'), ding]))), {
    family: '山田丂',
    remarks: [],
  });
  t.match(read(message('~ISO IR87', Buffer.from('\u001b(I6^\u001b(B'))), { family: 'ｶﾞ', remarks: [] });
  const eight = Buffer.concat([Buffer.from([0xd4, 0xcf, 0xde]), kanji(yamada, 'J')]);
  t.match(read(message('ISO IR13~ISO IR87', eight)), { family: 'ﾔﾏﾞ山田', given: 'GIVEN', remarks: [] });
  t.match(read(message('ISO IR13', Buffer.from([0xc2, 0xb1]))), { family: 'ﾂｱ', remarks: [] });
  t.match(read(message('ISO IR13', Buffer.from('山田'))), { family: '山田', charset: 'UTF-8' });
  t.end();
});

t.test('charset - where MSH-18 is empty, that of the source in the config holds', (t) => {
  for (const [ofSource, encoding, text] of [
    ['CP1251', 'windows-1251', 'Иванов'],
    ['windows-1253', 'windows-1253', 'Παππάς'],
    ['Shift_JIS', 'shift_jis', 'ポ構'],
    ['GBK', 'gbk', '钾'],
  ] as const) {
    const bytes = iconv.encode(text, encoding);
    for (const empty of ['', '""'])
      t.match(read(message(empty, bytes), ofSource), { family: text, given: 'GIVEN', remarks: [] }, ofSource);
    t.notMatch(read(message('', bytes)), { family: text }, `${ofSource}: not without it`);
  }
  t.match(read(message('8859/2', iconv.encode('Łukasz', 'iso-8859-2')), 'CP1251'), {
    family: 'Łukasz',
    remarks: [],
  });
  t.match(read(message('', Buffer.from('Иванов')), 'CP1251'), {
    family: 'Иванов',
    remarks: ['MSH-18: empty, and the config says windows-1251, but all is UTF-8, and is read so'],
  });
  t.end();
});
