import type { FieldError } from '@hookline/contracts';
import { checkFields, newId } from '@hookline/domain';
import { DEFAULT_LIMITS, type OutboxLimits } from './names.js';

/** An event that a producer writes with its own transaction. */
export interface OutboxEvent {
  type: string;
  /** Anything that JSON can say. */
  data: unknown;
  /** Events of one key are delivered in order to subscriptions that ask for it. */
  key?: string;
  /** Made if absent. One that is used twice within ten minutes is one event. */
  id?: string;
  /** When it happened; now if absent. */
  time?: Date;
  /** Where the relay serves several. */
  tenant?: string;
}

/** The transaction to write with: a client of `pg`, or TypeORM's EntityManager or QueryRunner. */
interface Transaction {
  query(sql: string, parameters: unknown[]): Promise<unknown>;
}

/** Nothing was written. */
export class InvalidEvents extends Error {
  override name = 'InvalidEvents';
  constructor(readonly errors: readonly FieldError[]) {
    super(`Nothing was published: ${errors.map(({ field, message }) => `${field} ${message}`).join('; ')}`);
  }
}

const INSERT = `
  INSERT INTO hookline_outbox (tenant, id, type, key, time, data)
  SELECT tenant, id, type, key, time, data::json
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
    WITH ORDINALITY AS event (tenant, id, type, key, time, data, position)
  ORDER BY position`;

/**
 * Publishes events with the caller's transaction, in their order: if it commits they are delivered, if not they never
 * were.
 * @returns their ids
 * @throws InvalidEvents naming each field that is at fault, before anything is written
 */
export async function enqueueEvents(
  transaction: Transaction,
  events: readonly OutboxEvent[],
  limits: OutboxLimits = DEFAULT_LIMITS,
): Promise<string[]> {
  if (events.length === 0) return [];
  const errors: FieldError[] = [];
  const rows = events.map((event, index) => toRow(event, `events[${index}].`, limits, errors));
  if (errors.length > 0) throw new InvalidEvents(errors);
  const column = <K extends keyof Row>(name: K): Row[K][] => rows.map((row) => row[name]);
  await transaction.query(INSERT, [
    column('tenant'),
    column('id'),
    column('type'),
    column('key'),
    column('time'),
    column('data'),
  ]);
  return column('id');
}

interface Row {
  tenant: string | null;
  id: string;
  type: string;
  key: string | null;
  time: string;
  data: string;
}

function toRow(event: OutboxEvent, prefix: string, limits: OutboxLimits, errors: FieldError[]): Row {
  const { tenant = null, id = newId('evt'), type, key, time = new Date(), data } = event;
  const fields = { id, type, time: isoOf(time), ...(key === undefined ? {} : { key }), data: null };
  checkFields(fields, prefix, limits, errors);
  return { tenant, id, type, key: key ?? null, time: fields.time, data: textOf(data, prefix, limits, errors) };
}

/** A date that is none gives a text that is no time. */
const isoOf = (time: Date): string => (Number.isNaN(time.getTime()) ? 'Invalid Date' : time.toISOString());

function textOf(data: unknown, prefix: string, { maxEventBytes }: OutboxLimits, errors: FieldError[]): string {
  const field = `${prefix}data`;
  const text = JSON.stringify(data) as string | undefined;
  if (text === undefined) errors.push({ field, message: 'is nothing that JSON can say' });
  else if (Buffer.byteLength(text) > maxEventBytes)
    errors.push({ field, message: `must not be larger than ${maxEventBytes} bytes`, limit: maxEventBytes });
  return text ?? '';
}
