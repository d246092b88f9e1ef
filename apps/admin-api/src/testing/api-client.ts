export interface ApiAnswer {
  status: number;
  headers: Headers;
  /** Empty where there was no body. */
  body: Record<string, unknown>;
}

/** Calls the API and gives every answer as it is, errors included. */
export class ApiClient {
  constructor(
    private readonly url: string,
    private readonly token?: string,
  ) {}

  get(path: string): Promise<ApiAnswer> {
    return this.call('GET', path);
  }

  post(path: string, body: unknown): Promise<ApiAnswer> {
    return this.call('POST', path, body);
  }

  patch(path: string, body: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.call('PATCH', path, body, headers);
  }

  delete(path: string, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.call('DELETE', path, undefined, headers);
  }

  /** The text as it is, under a content type of the caller's choice. */
  async send(method: string, path: string, text: string, contentType: string): Promise<ApiAnswer> {
    return this.call(method, path, text, { 'content-type': contentType });
  }

  private async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<ApiAnswer> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  }
}
