import { isUtf8 } from 'node:buffer';
import type { ReadRecord } from '@hookline/kafka';
import { JsonValue } from './json-value.js';
import { UnusableRecord } from './unusable-record.js';

/** A record of a producer, as the formats read it. */
export class SourceRecord {
  private parsed: JsonValue | undefined;

  constructor(readonly raw: ReadRecord) {}

  /** @throws UnusableRecord when it has no value or none that is JSON */
  get json(): JsonValue {
    return (this.parsed ??= JsonValue.of(this.value(), 'the value'));
  }

  /** @throws UnusableRecord when it has none */
  value(): Buffer {
    if (this.raw.value === null) throw new UnusableRecord('the record has no value');
    return this.raw.value;
  }

  /**
   * A header's text, the first one where there are several; undefined where there is none.
   * @throws UnusableRecord when it is not UTF-8
   */
  header(name: string): string | undefined {
    if (!Object.hasOwn(this.raw.headers, name)) return undefined;
    const all = this.raw.headers[name];
    const value = Array.isArray(all) ? all[0] : all;
    if (value === undefined || value === null) return undefined;
    return typeof value === 'string' ? value : utf8(value, `header ${name}`);
  }

  /** @throws UnusableRecord when it is to be a text and is none */
  key(as: 'text' | 'hex'): string | undefined {
    const { key } = this.raw;
    if (key === null || key.length === 0) return undefined;
    return as === 'hex' ? key.toString('hex') : utf8(key, "the record's key");
  }
}

function utf8(bytes: Buffer, what: string): string {
  if (!isUtf8(bytes)) throw new UnusableRecord(`${what} is not UTF-8`);
  return bytes.toString('utf8');
}
