/** An event's type: dot-separated words without spaces or `*`, e.g. `order.created`. */
const TYPE = /^[A-Za-z0-9_:/-]+(\.[A-Za-z0-9_:/-]+)*$/;

/** Whether the text can be an event's type; its length is a matter of settings. */
export function isEventType(text: string): boolean {
  return TYPE.test(text);
}

/** Whether the text can be a subscription's pattern: an exact type, `prefix.*` or `*`. */
export function isTypePattern(text: string): boolean {
  return text === '*' || TYPE.test(text.endsWith('.*') ? text.slice(0, -2) : text);
}

/** `order.*` matches `order.created` and `order.item.added`, but not `order` itself. */
export function matchesType(pattern: string, type: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}
