import type { FieldError } from '@hookline/contracts';

/** RFC 9110's token. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, with spaces and tabs between. */
const VALUE = /^([\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?)?$/;

/** What is HTTP's own to say, or the sender's. */
const RESERVED = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'user-agent',
]);
const RESERVED_PREFIXES = ['webhook-', 'hookline-'];

/** What is wrong with static headers; nothing where they can be sent as they are. */
export function headerFaults(
  headers: Readonly<Record<string, string>>,
  limits: { readonly maxHeaders: number; readonly maxHeaderBytes: number },
): FieldError[] {
  const entries = Object.entries(headers);
  if (entries.length > limits.maxHeaders)
    return [{ field: 'headers', message: 'are too many', limit: limits.maxHeaders }];
  const faults = entries.flatMap(([name, value]) => faultsOf(name, value));
  const names = entries.map(([name]) => name.toLowerCase());
  if (new Set(names).size < names.length) faults.push({ field: 'headers', message: 'name one header twice' });
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > limits.maxHeaderBytes)
    faults.push({ field: 'headers', message: 'are too long together', limit: limits.maxHeaderBytes });
  return faults;
}

function faultsOf(name: string, value: string): FieldError[] {
  const field = `headers.${name.slice(0, 100)}`;
  const lower = name.toLowerCase();
  if (!NAME.test(name)) return [{ field, message: 'is not a header name' }];
  if (RESERVED.has(lower) || RESERVED_PREFIXES.some((prefix) => lower.startsWith(prefix)))
    return [{ field, message: 'may not be set' }];
  return VALUE.test(value) ? [] : [{ field, message: 'must be printable ASCII without spaces at its ends' }];
}
