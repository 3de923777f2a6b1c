/** Provenance: the message, its record, and the mapping that made the bundle's resources of it. */
import { coded, dateTime, hl7System, instantOf, uri } from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, visible } from './json.ts';
import { siteExtensions } from './own-extensions.ts';

export function addProvenance(draft: Draft): void {
  const { event, targets } = draft;
  const from = event.provenance;
  if (from === undefined || targets.length === 0) return;
  // The gateway's clock; FHIR has no provenance without it.
  const recorded = instantOf(event.times?.capturedAtUs ?? 0n);
  if (recorded === undefined) return;
  const agentType = hl7System('provenance-participant-type');
  const assembler: Element = { system: 'urn:hilum:gateway', value: event.gateway };
  const sender = [from.sendingApplication, from.sendingFacility].filter(visible).join(' / ');
  draft.add('provenance', {
    resourceType: 'Provenance',
    extension: siteExtensions(event.extensions),
    target: [...targets],
    occurredDateTime: dateTime(event.times?.message),
    recorded,
    policy: from.mappingVersion === '' ? undefined : [uri(`urn:hilum:mapping:${from.mappingVersion}`)],
    activity: activity(draft),
    agent: [
      {
        type: coded(agentType, 'assembler'),
        who: { type: 'Device', identifier: assembler, display: 'Hilum gateway' },
      },
      ...(sender === '' ? [] : [{ type: coded(agentType, 'author'), who: { display: sender } }]),
    ],
    entity: [
      {
        role: 'source',
        what: {
          identifier: { system: 'urn:hilum:event', value: event.id },
          display: from.messageControlId === '' ? undefined : `MSH-10 ${from.messageControlId}`,
        },
      },
      ...(from.recordHash === ''
        ? []
        : [
            {
              role: 'source',
              what: { identifier: { system: 'urn:hilum:sha256', value: from.recordHash } },
            },
          ]),
      ...(from.replay?.supersedes ?? []).map((value) => ({
        role: 'revision',
        what: { identifier: { system: 'urn:hilum:event', value } },
      })),
    ],
  });
}

/** The trigger event [HL7 table 0003] of MSH-9. */
function activity(draft: Draft): Element | undefined {
  const { provenance, movement, merge } = draft.event;
  const trigger = movement?.trigger || merge?.trigger || provenance?.messageType.split('^')[1] || '';
  return /^[A-Z]\w\w$/.test(trigger) ? coded(hl7System('v2-0003'), trigger) : undefined;
}
