/** Power loss, a full disk and a failing one: F3 to F6 in their short mode. */
import { shortRows } from './short.ts';

shortRows('disk');
