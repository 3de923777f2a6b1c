/** Repeats, backlog, poison, bad mappings, oversize and the canary: F16, F18, F19, F21, F26 and F37 in their short mode. */
import { shortRows } from './short.ts';

shortRows('messages');
