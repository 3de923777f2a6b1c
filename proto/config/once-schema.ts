/**
 * `once`: what is said twice has one effect. Off unless something stands here. Two parts that share no more than
 * that: results that several feeds bring, and alarms that a device repeats.
 */
import { z } from 'zod';
import { durationMs } from './duration.ts';
import { duration, name, predicate } from './words.ts';

const onceLimits = { windowMsMax: 3_600_000, feedsMax: 16, codesMax: 500 } as const;

const alarmPriorities = ['high', 'medium', 'low', 'none'] as const;

const authority = z.strictObject({
  feed: name.describe('The source whose word counts.'),
  when: predicate.default('true').describe('CEL over `event`: for which results. The first that is true.'),
});

const window = duration
  .refine((value) => (durationMs(value) ?? 0) <= onceLimits.windowMsMax, {
    error: 'a window is at most 1h',
    params: { hint: 'an alarm that still stands must be heard again' },
  })
  .describe('From the last one that passed, by the alarm’s own time and by the gateway’s clock. At most 1h.');

export const onceSection = z
  .strictObject({
    results: z
      .record(
        name,
        z.strictObject({
          feeds: z
            .array(name)
            .min(2)
            .max(onceLimits.feedsMax)
            .describe('Sources that bring the same results. A source is in one group at most.'),
          authoritative: z
            .union([
              name.transform((feed) => [{ feed, when: 'true' }]),
              z.array(authority).min(1).max(onceLimits.feedsMax),
            ])
            .describe('The feed whose word counts, or for which results which one; nobody: who came first.'),
        }),
      )
      .default({})
      .describe(
        'The same result by two of the feeds is one effect: equal filler number, specimen, codes, times, status and values.',
      ),
    alarms: z
      .record(
        name,
        z.strictObject({
          sources: z.array(name).min(1).optional().describe('Only from these sources; default all.'),
          codes: z
            .array(z.string().min(1))
            .min(1)
            .max(onceLimits.codesMax)
            .optional()
            .describe('Only these codes, sent or mapped; default all.'),
          priorities: z
            .array(z.enum(alarmPriorities))
            .min(1)
            .default(['medium', 'low', 'none'])
            .describe('high is never meant unless it stands here; an alarm that says no priority never is.'),
          window,
        }),
      )
      .default({})
      .describe('The same alarm in the same phase again, within its window, is a repeat.'),
  })
  .describe('What is said twice has one effect; nothing is lost, a repeat is delivered with its mark.');
