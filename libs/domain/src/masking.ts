/** What stands for a secret that is not shown. */
export const MASK = '***';

/** Names that secrets go by. What a server asks to be authenticated with is none. */
const SECRET = /cookie|auth|token|secret|session|passw|api-?key|signature|credential|csrf|xsrf/;
const NO_SECRET = 'www-authenticate';

/**
 * The value of a header as it may be shown to somebody.
 * @param name in lower case
 */
export function maskedValue(name: string, value: string): string {
  return SECRET.test(name) && name !== NO_SECRET ? MASK : withoutCredentials(value);
}

/** A text with the user and password of each URL in it masked. */
export function withoutCredentials(text: string): string {
  return text.includes('@') ? text.replaceAll(/\/\/[^/?#@\s]*@/g, `//${MASK}@`) : text;
}
