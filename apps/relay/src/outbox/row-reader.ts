import type { PublishConfig, RelayConfig } from '@hookline/config';
import { encodeEvent, type FieldError } from '@hookline/contracts';
import { checkFields } from '@hookline/domain';
import type { OutgoingRecord } from '@hookline/kafka';
import type { OutboxRow, Refusal } from './outbox-rows.js';

/** A row and the record that it becomes. */
export interface ReadRow {
  row: OutboxRow;
  record: OutgoingRecord;
}

/**
 * Makes records of rows. The table has checked them when they were written, but its limits may be others than ours, and
 * a table can be changed.
 */
export class RowReader {
  private readonly tenants: ReadonlySet<string>;

  constructor(
    private readonly limits: PublishConfig,
    private readonly relay: Pick<RelayConfig, 'tenant' | 'tenants'>,
  ) {
    this.tenants = new Set([...relay.tenants, ...(relay.tenant === undefined ? [] : [relay.tenant])]);
  }

  /** In the order of the rows, both. */
  read(rows: readonly OutboxRow[]): { good: ReadRow[]; refusals: Refusal[] } {
    const good: ReadRow[] = [];
    const refusals: Refusal[] = [];
    for (const row of rows) {
      const read = this.one(row);
      if ('reason' in read) refusals.push(read);
      else good.push(read);
    }
    return { good, refusals };
  }

  private one(row: OutboxRow): ReadRow | Refusal {
    const { seq, id, type, time, key } = row;
    const refuse = (reason: string): Refusal => ({ seq, id, reason });
    const tenant = row.tenant ?? this.relay.tenant;
    if (tenant === undefined) return refuse('the row names no tenant, and HOOKLINE_RELAY_TENANT is not set');
    if (!this.tenants.has(tenant))
      return refuse(`the tenant ${tenant} is neither HOOKLINE_RELAY_TENANT nor one of HOOKLINE_RELAY_TENANTS`);

    const fields = { id, type, time, ...(key === null ? {} : { key }) };
    const errors: FieldError[] = [];
    checkFields({ ...fields, data: null }, '', this.limits, errors);
    const data = Buffer.from(row.data);
    const { maxEventBytes } = this.limits;
    if (data.length > maxEventBytes)
      errors.push({ field: 'data', message: `must not be larger than ${maxEventBytes} bytes` });
    if (errors.length > 0) return refuse(errors.map(({ field, message }) => `${field} ${message}`).join('; '));
    return { row, record: encodeEvent({ tenant, ...fields }, id, data) };
  }
}
