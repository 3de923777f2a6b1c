/** How old a patient was when something was observed, as far as the two dates say it. */
import type { ClinicalEvent, Observation } from '../../proto/gen/hilum/v1/event.ts';

/** A birth date and the day of the observation, both YYYY-MM-DD. */
export interface Age {
  birth: string;
  day: string;
}

/** The youngest and the oldest that the patient may have been; one where the birth date has its day. */
export function agesAt(event: ClinicalEvent, observation: Observation): Age[] | undefined {
  const birthDate = event.patient?.birthDate ?? '';
  if (!/^\d{4}(-\d{2}(-\d{2})?)?/.test(birthDate)) return undefined;
  const times = [observation.effective, event.times?.observed, event.times?.message];
  const day =
    times.map((time) => time?.value.slice(0, 10) ?? '').find((text) => text.length === 10) ??
    new Date(Number((event.times?.capturedAtUs ?? 0n) / 1000n)).toISOString().slice(0, 10);
  const birth = birthDate.slice(0, 10);
  if (birth.length === 10) return [{ birth, day }];
  const [first, last] = birth.length === 7 ? ['-01', '-31'] : ['-01-01', '-12-31'];
  return [
    { birth: birth + last, day },
    { birth: birth + first, day },
  ];
}

/** Below 0 where the age `18y` is not reached; without a limit 0. */
export function compareAge({ birth, day }: Age, limit: string | undefined): number {
  const [, digits, unit] = /^(\d+)(y|mo|w|d)$/.exec(limit ?? '') ?? [];
  if (digits === undefined) return 0;
  const count = Number(digits);
  const [year = 0, month = 1, date = 1] = birth.split('-').map(Number);
  const reached =
    unit === 'y'
      ? Date.UTC(year + count, month - 1, date)
      : unit === 'mo'
        ? Date.UTC(year, month - 1 + count, date)
        : Date.UTC(year, month - 1, date + count * (unit === 'w' ? 7 : 1));
  const [onYear = 0, onMonth = 1, onDate = 1] = day.split('-').map(Number);
  return Math.sign(Date.UTC(onYear, onMonth - 1, onDate) - reached);
}
