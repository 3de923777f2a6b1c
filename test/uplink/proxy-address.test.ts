/** Where the settings say that the proxy is. */
import t from 'tap';
import { parseProxy } from '../../gateway/uplink/channel.ts';

t.test('proxy - the port is the one that is written, 80 too, and 3128 where none is', async (t) => {
  const at = (text: string) => parseProxy(text)?.address;
  t.equal(at('http://proxy:80'), 'proxy:80');
  t.equal(at('http://proxy:80/'), 'proxy:80');
  t.equal(at('http://proxy'), 'proxy:3128');
  t.equal(at('http://site:8080@proxy'), 'proxy:3128', 'a password is no port');
  t.equal(at('http://[2001:db8::80]'), '[2001:db8::80]:3128');
  t.equal(at('http://[2001:db8::1]:8080'), '[2001:db8::1]:8080');
  t.same(parseProxy('http://site:50%25off@proxy:3128'), {
    address: 'proxy:3128',
    credentials: 'site:50%off',
  });
  t.equal(parseProxy(''), undefined);
});
