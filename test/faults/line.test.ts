/** Clocks, silent and false peers, cut lines: F9, F10, F13, F31 and F32 in their short mode. */
import { shortRows } from './short.ts';

shortRows('line');
