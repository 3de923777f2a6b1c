/** Repeats, backlog, poison, oversize and the canary: F16, F18, F19, F26 and F37 in their short mode. */
import { shortRows } from './short.ts';

shortRows('messages');
