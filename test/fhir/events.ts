/** The events that the published forms are tried on: those of the whole corpus, and of our own samples. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { normalize } from '../../gateway/normalize/normalize.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { testContext } from '../normalize/context.ts';
import { corpusFiles, corpusFolder, isDocument } from '../normalize/corpus-outcomes.ts';
import { samples } from '../normalize/samples.ts';

export interface Named {
  readonly name: string;
  readonly event: ClinicalEvent;
}

/** Of every HL7 v2 file of the corpus, and of every device payload there. */
export function corpusEvents(): Named[] {
  const hl7v2 = corpusFiles().filter((file) => !isDocument(file));
  const devices = join(corpusFolder, '../mqtt');
  const payloads = readdirSync(devices, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.json'),
  );
  return [
    ...hl7v2.sort().flatMap((file) => eventsOf(file, readFileSync(join(corpusFolder, file)), 'mllp')),
    ...payloads.sort().flatMap((file) => eventsOf(file, readFileSync(join(devices, file)), 'mqtt')),
  ];
}

const deviceSamples = {
  vitals: JSON.stringify({
    device: { id: 'mon-12', model: 'M1', manufacturer: 'Acme', type: 'monitor' },
    patient: { id: '4711', system: 'urn:oid:1.2.3' },
    location: { unit: 'ICU', room: '', bed: '4' },
    time: '2026-11-23T08:15:00+01:00',
    battery: '80 %',
    readings: [
      { code: 'heartRate', value: '72', unit: '/min', status: 'final', interpretation: 'H' },
      { code: 'x', value: '7.40', unit: 'mmol/L' },
    ],
  }),
  alarm: JSON.stringify({
    device: 'mon-12',
    time: '2026-11-23T08:15:00+01:00',
    alarm: { id: 'A-7', code: 'LO', priority: 'high', phase: 'start', state: 'active', text: 'Low SpO2' },
  }),
};

export function sampleEvents(): Named[] {
  return [
    ...Object.entries(samples).flatMap(([name, text]) => eventsOf(name, Buffer.from(text), 'mllp')),
    ...Object.entries(deviceSamples).flatMap(([name, text]) => eventsOf(name, Buffer.from(text), 'mqtt')),
  ];
}

/** Normalized, and stamped as the pipeline stamps them. */
export function eventsOf(name: string, raw: Uint8Array, protocol: string): Named[] {
  const record = JournalRecord.fromPartial({ raw, protocol });
  const { events } = normalize(
    record,
    testContext({ protocol, topic: protocol === 'mqtt' ? 'devices/x' : '' }),
  );
  return events.map((event, at) => {
    event.gateway = 'gw-test';
    event.site = 'test';
    event.class = 'routine';
    event.budgetMs = 60_000;
    event.position = { epoch: 0xfedcba9876543210n, lane: 'routine', sequence: BigInt(at + 1) };
    event.id = `gw-test.fedcba9876543210.routine.${name.replace(/[^\w.-]/g, '_')}.${at + 1}`;
    if (event.provenance !== undefined) {
      event.provenance.recordHash = 'ab'.repeat(32);
      event.provenance.record = { epoch: 0xfedcba9876543210n, sequence: 1n };
      event.provenance.mappingVersion = 'builtin@1';
      event.provenance.index = at + 1;
      event.provenance.count = events.length;
    }
    return { name: `${name} #${at + 1}`, event };
  });
}
