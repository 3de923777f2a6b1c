/**
 * Who and where, in the built-in vitals shape. A text or a number is an identifier; a truth value and a blank text are
 * none, for whoever has neither would share them with everybody else.
 */
import type { Identifier, Location } from '../../../proto/gen/hilum/v1/event.ts';
import { Device } from '../../../proto/gen/hilum/v1/event.ts';
import type { Json, JsonObject } from './json.ts';
import { identifier, idText, localCode, type Scope, scalar } from './scope.ts';

const identifiersMax = 32;

/** Undefined: nothing says which device it is. */
export function deviceOf(object: JsonObject, scope: Scope): Device | undefined {
  const said = deviceSaid(object);
  const identifiers = identifiersOf(said, 'device', scope);
  if (identifiers.length === 0) return undefined;
  const device = Device.fromPartial({
    identifiers,
    path: scope.context.topic,
    battery: scalar(object.get('battery')) ?? '',
  });
  if (said instanceof Map) {
    device.model = scalar(said.get('model')) ?? '';
    device.manufacturer = scalar(said.get('manufacturer')) ?? '';
    const type = scalar(said.get('type'));
    if (type) device.type = localCode(type, scope);
    device.battery ||= scalar(said.get('battery')) ?? '';
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
export function identifiersOf(value: Json | undefined, where: string, scope: Scope): Identifier[] {
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value)) {
    return value.flatMap((one) => identifiersOf(one, where, scope)).slice(0, identifiersMax);
  }
  const fields: JsonObject = value instanceof Map ? value : new Map([['id', value]]);
  const many = fields.get('identifiers') ?? fields.get('identifier');
  if (many !== undefined) return identifiersOf(many, where, scope);
  const id = idText(fields.get('id') ?? fields.get('value'));
  if (id === undefined) {
    scope.remark(`${where}: no identifier`);
    return [];
  }
  return [identifier(id, scalar(fields.get('system')) ?? '', scalar(fields.get('type')) ?? '', scope)];
}

function locationOf(value: Json | undefined, scope: Scope): Location | undefined {
  const blank = Device.fromPartial({ location: {} }).location as Location;
  if (!(value instanceof Map)) {
    const text = scalar(value);
    return text ? { ...blank, description: text } : undefined;
  }
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
