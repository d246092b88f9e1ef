import type { PublishConfig } from '@hookline/config';
import { encodeEvent, type FieldError } from '@hookline/contracts';
import { checkFields, type EventFields } from '@hookline/domain';
import type { OutgoingRecord, ReadRecord } from '@hookline/kafka';
import { readCloudEvent, type CloudEvent } from './cloud-event.js';
import type { CloudEventsFormat, Mapping, SourceDefinition, Term } from './definition.js';
import { cloudEventId, derivedId } from './source-id.js';
import { SourceRecord } from './source-record.js';
import { UnusableRecord } from './unusable-record.js';

export type EventRules = Pick<PublishConfig, 'maxIdLength' | 'maxTypeLength' | 'maxKeyLength' | 'maxEventBytes'>;

/** What a format reads of a record; what is absent is derived or left out. */
interface Parts {
  id: string | undefined;
  type: string | undefined;
  key: string | undefined;
  time: string | undefined;
  data: Buffer;
}

/** A time that is written as a number. */
const MILLISECONDS = /^\d{1,15}$/;
const YEAR_10000 = Date.UTC(10_000, 0, 1);

/** Makes events of the records of one source, by its format and within the limits that publishing has. */
export class SourceReader {
  private readonly parts: (record: SourceRecord) => Parts;

  constructor(
    private readonly definition: Pick<SourceDefinition, 'name' | 'tenant' | 'format'>,
    private readonly rules: EventRules,
  ) {
    const { format } = definition;
    if (format === 'cloudevents') this.parts = (record) => cloudEventParts(record, { deliver: 'data' }, rules);
    else if ('mapping' in format) this.parts = (record) => mappedParts(record, format.mapping);
    else this.parts = (record) => cloudEventParts(record, format.cloudevents, rules);
  }

  /**
   * The record for `hookline.events`. A repeat gives the same, so that it has the same id and partition.
   * @throws UnusableRecord that says everything that is wrong
   */
  read(raw: ReadRecord): OutgoingRecord {
    const { name: source, tenant } = this.definition;
    const { id, type, key, time, data } = this.parts(new SourceRecord(raw));
    const fields = this.check({ type, ...defined({ id, key, time }) }, data);
    const { topic, partition, offset, timestamp } = raw;
    const event = {
      tenant,
      ...fields,
      id: fields.id ?? derivedId({ source, topic, partition, offset, timestamp }),
      time: fields.time ?? isoOf(timestamp),
    };
    return encodeEvent(event, event.id, data);
  }

  private check(event: Record<string, unknown>, data: Buffer): EventFields {
    const errors: FieldError[] = [];
    const fields = checkFields({ ...event, data: undefined }, '', this.rules, errors);
    const { maxEventBytes } = this.rules;
    if (data.length > maxEventBytes)
      errors.push({ field: 'data', message: `must not be larger than ${maxEventBytes} bytes, and has ${data.length}` });
    if (fields === undefined || errors.length > 0)
      throw new UnusableRecord(errors.map(({ field, message }) => `${field} ${message}`).join('; '));
    return fields;
  }
}

function cloudEventParts(
  record: SourceRecord,
  { id, key, deliver }: CloudEventsFormat,
  { maxIdLength }: EventRules,
): Parts {
  const event = readCloudEvent(record);
  const { attributes } = event;
  return {
    id: id
      ? required('id', id, record, event)
      : cloudEventId(attributes.get('source') as string, attributes.get('id') as string, maxIdLength),
    type: attributes.get('type'),
    key: key ? textOf('key', key, record, event) : (attributes.get('partitionkey') ?? record.key('text')),
    time: attributes.get('time'),
    data: deliver === 'event' ? event.whole() : event.data(),
  };
}

function mappedParts(record: SourceRecord, { type, id, key, time, data }: Mapping): Parts {
  const { json } = record;
  const bytes = data ? json.bytesAt(data.pointer) : json.content;
  if (bytes === undefined) throw new UnusableRecord(`data is required: nothing stands at ${data?.pointer}`);
  return {
    id: id && required('id', id, record),
    type: required('type', type, record),
    key: key && textOf('key', key, record),
    time: time && timeOf(textOf('time', time, record)),
    data: bytes,
  };
}

/** A number is milliseconds since the epoch; a text is what publishing takes as well. */
function timeOf(text: string | undefined): string | undefined {
  return text !== undefined && MILLISECONDS.test(text) ? isoOf(Number(text)) : text;
}

/** @throws UnusableRecord for what is no time that can be written down: a producer may have written anything */
function isoOf(ms: number): string {
  if (ms >= 0 && ms < YEAR_10000) return new Date(ms).toISOString();
  throw new UnusableRecord(`time ${ms} is not milliseconds since 1970`);
}

function required(field: string, term: Term, record: SourceRecord, event?: CloudEvent): string {
  const text = textOf(field, term, record, event);
  if (text === undefined) throw new UnusableRecord(`${field} is required: the record has no ${nameOf(term)}`);
  return text;
}

/** @throws UnusableRecord naming the field */
function textOf(field: string, term: Term, record: SourceRecord, event?: CloudEvent): string | undefined {
  try {
    if ('constant' in term) return term.constant;
    if ('header' in term) return record.header(term.header);
    if ('pointer' in term) return record.json.textAt(term.pointer);
    if ('recordKey' in term) return record.key(term.recordKey);
    return event?.attributes.get(term.attribute);
  } catch (error) {
    if (error instanceof UnusableRecord) error.message = `${field}: ${error.message}`;
    throw error;
  }
}

function nameOf(term: Term): string {
  if ('header' in term) return `header ${term.header}`;
  if ('pointer' in term) return `value at ${term.pointer}`;
  return 'attribute' in term ? `attribute ${term.attribute}` : 'key';
}

/** Without what is undefined: a field that is there must be a text. */
function defined(fields: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
