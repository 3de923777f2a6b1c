/**
 * Who and where, in the built-in vitals shape. A text or a number is an identifier; a truth value and a blank text are
 * none, for whoever has neither would share them with everybody else.
 */
import type { Identifier, Location } from '../../../proto/gen/hilum/v1/event.ts';
import { Device } from '../../../proto/gen/hilum/v1/event.ts';
import type { Json, JsonObject } from './json.ts';
import { identifierFrom, idText, localCode, type Scope, scalar } from './scope.ts';

const identifiersMax = 32;

const identifying = ['id', 'value', 'system', 'type', 'identifiers', 'identifier'] as const;
const ofIdentity: ReadonlySet<string> = new Set(identifying);
const ofDevice: ReadonlySet<string> = new Set([...identifying, 'model', 'manufacturer', 'battery']);
const ofLocation: ReadonlySet<string> = new Set([
  ...['unit', 'pointOfCare', 'ward', 'room', 'bed', 'facility', 'building', 'floor', 'description', 'text'],
]);

/** Undefined: nothing says which device it is. */
export function deviceOf(object: JsonObject, scope: Scope): Device | undefined {
  const said = deviceSaid(object);
  // Beside the device's own id, `type` says what it is, not what its number is.
  const identified = said instanceof Map ? new Map([...said].filter(([name]) => name !== 'type')) : said;
  const identifiers = identifiersOf(identified, 'device', scope, ofDevice);
  if (identifiers.length === 0) return undefined;
  const device = Device.fromPartial({
    identifiers,
    path: scope.context.topic,
    battery: scope.text(object.get('battery'), 'battery'),
  });
  if (said instanceof Map) {
    device.model = scope.text(said.get('model'), 'device model');
    device.manufacturer = scope.text(said.get('manufacturer'), 'device manufacturer');
    const type = scope.text(said.get('type'), 'device type');
    if (type) device.type = localCode(type, scope);
    device.battery ||= scope.text(said.get('battery'), 'battery');
  }
  device.location = locationOf(object.get('location'), scope);
  return device;
}

/** True where something stands for the device that is no identifier. */
export function saysDevice(object: JsonObject): boolean {
  const said = deviceSaid(object);
  return said !== undefined && said !== null && said !== '';
}

function deviceSaid(object: JsonObject): Json | undefined {
  return object.get('device') ?? object.get('deviceId');
}

/** What is said and is no identifier leaves a remark. */
export function identifiersOf(
  value: Json | undefined,
  where: string,
  scope: Scope,
  known: ReadonlySet<string> = ofIdentity,
): Identifier[] {
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value)) {
    return value.flatMap((one) => identifiersOf(one, where, scope, known)).slice(0, identifiersMax);
  }
  const fields: JsonObject = value instanceof Map ? value : new Map([['id', value]]);
  const many = fields.get('identifiers') ?? fields.get('identifier');
  if (many !== undefined) {
    scope.unknown(fields, known, where);
    return identifiersOf(many, where, scope);
  }
  const id = idText(fields.get('id') ?? fields.get('value'));
  if (id === undefined) {
    scope.remark(`${where}: no identifier`);
    return [];
  }
  scope.unknown(fields, known, where);
  return [identifierFrom(id, scalar(fields.get('type')) ?? '', scalar(fields.get('system')) ?? '', scope)];
}

function locationOf(value: Json | undefined, scope: Scope): Location | undefined {
  const blank = Device.fromPartial({ location: {} }).location as Location;
  if (!(value instanceof Map)) {
    const text = scalar(value);
    if (Array.isArray(value) && value.length > 0) scope.remark('location: neither a text nor an object');
    return text ? { ...blank, description: text } : undefined;
  }
  scope.unknown(value, ofLocation, 'location');
  const part = (...names: string[]): string => {
    const said = names.map((name) => value.get(name)).find((one) => one !== undefined);
    const text = scalar(said);
    if (text === undefined && said !== undefined && said !== null) scope.remark('location: not a text');
    return text ?? '';
  };
  return {
    ...blank,
    pointOfCare: part('unit', 'pointOfCare', 'ward'),
    room: part('room'),
    bed: part('bed'),
    facility: part('facility'),
    building: part('building'),
    floor: part('floor'),
    description: part('description', 'text'),
  };
}
