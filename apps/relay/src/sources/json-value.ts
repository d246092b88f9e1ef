import { isUtf8 } from 'node:buffer';
import { elementsOf, membersOf, skipSpace, type JsonSpan } from '@hookline/domain';
import { UnusableRecord } from './unusable-record.js';

const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;
const SPACE = 0x20;

/** Bytes that are JSON, and where things stand in them: what is taken out is a part of them, not a new print. */
export class JsonValue {
  private constructor(
    /** Without the white space around it. */
    readonly content: Buffer,
  ) {}

  /**
   * @param what names the bytes in the error
   * @throws UnusableRecord when they are no JSON
   */
  static of(bytes: Buffer, what: string): JsonValue {
    if (!isUtf8(bytes)) throw new UnusableRecord(`${what} is not UTF-8`);
    try {
      JSON.parse(bytes.toString('utf8'));
    } catch (error) {
      throw new UnusableRecord(`${what} is not JSON: ${(error as Error).message}`);
    }
    let end = bytes.length;
    while ((bytes[end - 1] as number) <= SPACE) end -= 1;
    return new JsonValue(bytes.subarray(skipSpace(bytes, 0), end));
  }

  get isObject(): boolean {
    return this.content[0] === OPEN_OBJECT;
  }

  /** The names of its members in their order, repeated ones and all. */
  names(): string[] {
    return membersOf(this.content, 0).map(({ name }) => name);
  }

  /** A member that is a text, a number or a truth value, as text; undefined for anything else. */
  scalarOf(name: string): string | undefined {
    const member = membersOf(this.content, 0).find((each) => each.name === name);
    if (member === undefined) return undefined;
    const raw = this.content.toString('utf8', member.start, member.end);
    if (raw.startsWith('"')) return JSON.parse(raw) as string;
    return /^[{[]|^null$/.test(raw) ? undefined : raw;
  }

  /**
   * The bytes of the value that a JSON pointer (RFC 6901) names, as they came; undefined where there is none.
   * @throws UnusableRecord where a name on the way stands there twice: two readers would take two values
   */
  bytesAt(pointer: string): Buffer | undefined {
    const span = this.find(pointer);
    return span && this.content.subarray(span.start, span.end);
  }

  /**
   * The text or number that a pointer names, a number with the digits that it has there; undefined for `null` and for
   * nothing.
   * @throws UnusableRecord for anything else
   */
  textAt(pointer: string): string | undefined {
    const bytes = this.bytesAt(pointer);
    const raw = bytes === undefined ? 'null' : bytes.toString('utf8');
    if (raw === 'null') return undefined;
    if (raw.startsWith('"')) return JSON.parse(raw) as string;
    if (/^[-0-9]/.test(raw)) return raw;
    throw new UnusableRecord(`what stands at ${pointer} is neither a text nor a number`);
  }

  private find(pointer: string): JsonSpan | undefined {
    let span: JsonSpan | undefined = { start: 0, end: this.content.length };
    for (const escaped of pointer.split('/').slice(1)) {
      if (span === undefined) return undefined;
      span = this.inside(span, escaped.replaceAll('~1', '/').replaceAll('~0', '~'), pointer);
    }
    return span;
  }

  private inside(span: JsonSpan, name: string, pointer: string): JsonSpan | undefined {
    const first = this.content[span.start];
    if (first === OPEN_LIST)
      return /^(0|[1-9]\d*)$/.test(name) ? elementsOf(this.content, span.start)[Number(name)] : undefined;
    if (first !== OPEN_OBJECT) return undefined;
    const members = membersOf(this.content, span.start).filter((member) => member.name === name);
    if (members.length > 1) throw new UnusableRecord(`what stands at ${pointer} stands there more than once`);
    return members[0];
  }
}
