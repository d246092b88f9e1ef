import { JsonValue } from './json-value.js';
import type { SourceRecord } from './source-record.js';
import { UnusableRecord } from './unusable-record.js';

const PREFIX = 'ce_';
const STRUCTURED = /^application\/cloudevents(?![a-z0-9])/i;
const STRUCTURED_JSON = /^application\/cloudevents\+json\s*(;|$)/i;
const JSON_MEDIA = /^(application\/json|text\/json|[a-z0-9.-]+\/[a-z0-9.!#$&^_-]+\+json)\s*(;|$)/i;
const REQUIRED = ['specversion', 'id', 'source', 'type'];

/** An event in CloudEvents' terms, from either content mode. */
export interface CloudEvent {
  /** All of them, extensions too, as text. */
  attributes: ReadonlyMap<string, string>;
  /** The bytes of its data as they came. @throws UnusableRecord when there is none, or it is no JSON */
  data(): Buffer;
  /** The whole of it in the JSON format: the bytes that came, or put together from the headers around those of the data. */
  whole(): Buffer;
}

/**
 * Reads a record by CloudEvents' Kafka protocol binding 1.0: structured mode where `content-type` begins with
 * `application/cloudevents`, else binary mode.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 * @throws UnusableRecord
 */
export function readCloudEvent(record: SourceRecord): CloudEvent {
  const contentType = record.header('content-type');
  const event =
    contentType !== undefined && STRUCTURED.test(contentType)
      ? structured(record, contentType)
      : binary(record, contentType);
  const missing = REQUIRED.filter((name) => !event.attributes.get(name));
  if (missing.length === REQUIRED.length)
    throw new UnusableRecord(
      'it is no CloudEvent: neither content-type application/cloudevents+json nor headers ce_specversion, ce_id, ce_source, ce_type',
    );
  if (missing.length > 0) throw new UnusableRecord(`attribute ${missing.join(', ')} is missing`);
  const version = event.attributes.get('specversion');
  if (version !== '1.0') throw new UnusableRecord(`specversion ${version} is unknown: it must be 1.0`);
  return event;
}

function structured(record: SourceRecord, contentType: string): CloudEvent {
  if (!STRUCTURED_JSON.test(contentType))
    throw new UnusableRecord(`content-type ${contentType} can't be read: of CloudEvents' formats only JSON`);
  const { json } = record;
  if (!json.isObject) throw new UnusableRecord('the value is not an object');
  const attributes = new Map<string, string>();
  for (const name of json.names()) {
    if (attributes.has(name)) throw new UnusableRecord(`attribute ${name} stands there more than once`);
    if (name === 'data' || name === 'data_base64') continue;
    const value = json.scalarOf(name);
    if (value !== undefined) attributes.set(name, value);
  }
  return {
    attributes,
    data: () => {
      mustBeJson(attributes.get('datacontenttype'));
      const data = json.bytesAt('/data');
      const encoded = json.textAt('/data_base64');
      if (data !== undefined && encoded !== undefined) throw new UnusableRecord('it has both data and data_base64');
      if (data !== undefined) return data;
      if (encoded === undefined) throw new UnusableRecord('data is required');
      return JsonValue.of(Buffer.from(encoded, 'base64'), 'what data_base64 encodes').content;
    },
    whole: () => json.content,
  };
}

function binary(record: SourceRecord, contentType: string | undefined): CloudEvent {
  const attributes = new Map<string, string>();
  for (const header in record.raw.headers) {
    const value = header.startsWith(PREFIX) ? record.header(header) : undefined;
    if (value !== undefined) attributes.set(header.slice(PREFIX.length), value);
  }
  if (contentType !== undefined) attributes.set('datacontenttype', contentType);
  const data = (): Buffer => {
    mustBeJson(contentType);
    if (record.raw.value === null) throw new UnusableRecord('data is required');
    return record.json.content;
  };
  return { attributes, data, whole: () => inJson(attributes, record.raw.value === null ? undefined : data()) };
}

function inJson(attributes: ReadonlyMap<string, string>, data: Buffer | undefined): Buffer {
  const head = JSON.stringify(Object.fromEntries(attributes));
  if (data === undefined) return Buffer.from(head);
  return Buffer.concat([Buffer.from(`${head.slice(0, -1)},"data":`), data, Buffer.from('}')]);
}

function mustBeJson(contentType: string | undefined): void {
  if (contentType !== undefined && !JSON_MEDIA.test(contentType))
    throw new UnusableRecord(`its data is ${contentType}: only JSON can be delivered`);
}
