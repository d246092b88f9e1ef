/** A URL that was taken apart once, and not again for each request. */
export class Endpoint {
  readonly origin: string;
  /** With the query. */
  readonly path: string;

  /** @throws TypeError if it is no http or https URL */
  constructor(readonly url: string) {
    const parsed = new URL(url);
    if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') throw new TypeError(`${url} is not http or https`);
    this.origin = parsed.origin;
    this.path = parsed.pathname + parsed.search;
  }
}
