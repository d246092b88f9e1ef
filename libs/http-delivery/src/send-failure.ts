/** Why there was no whole answer. A closed set: it is stored, counted and shown by these names. */
export type SendFailure =
  /** The attempt as a whole took too long. */
  | 'timeout'
  | 'connect-timeout'
  /** The connection was open and the request on its way, and nothing came back in time. */
  | 'first-byte-timeout'
  /** Nobody listens there, or the network has no way to it. */
  | 'connection-refused'
  /** The connection ended before the answer did. */
  | 'connection-reset'
  | 'dns'
  | 'tls'
  | 'address-refused'
  /** The answer is not HTTP. */
  | 'protocol'
  /** The head of the answer is too long. (Of a body only the beginning is read, and that is no failure.) */
  | 'response-too-large'
  /** The caller called it off, or closed the client. */
  | 'aborted'
  | 'other';

const BY_CODE: Readonly<Record<string, SendFailure>> = {
  HOOKLINE_ADDRESS_REFUSED: 'address-refused',
  UND_ERR_CONNECT_TIMEOUT: 'connect-timeout',
  ETIMEDOUT: 'connect-timeout',
  ECONNREFUSED: 'connection-refused',
  EHOSTUNREACH: 'connection-refused',
  ENETUNREACH: 'connection-refused',
  EADDRNOTAVAIL: 'connection-refused',
  ECONNRESET: 'connection-reset',
  ECONNABORTED: 'connection-reset',
  EPIPE: 'connection-reset',
  UND_ERR_SOCKET: 'connection-reset',
  ENOTFOUND: 'dns',
  ENODATA: 'dns',
  EPROTO: 'tls',
  CERT_HAS_EXPIRED: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  UND_ERR_HEADERS_OVERFLOW: 'response-too-large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'protocol',
  // Undici takes some things for granted in an answer, e.g. that a 101 says to what it switches.
  ERR_ASSERTION: 'protocol',
  UND_ERR_DESTROYED: 'aborted',
};

const BY_PREFIX: readonly (readonly [string, SendFailure])[] = [
  ['HPE_', 'protocol'],
  ['EAI_', 'dns'],
  ['ERR_TLS_', 'tls'],
  ['ERR_SSL_', 'tls'],
  ['CERT_', 'tls'],
  ['UNABLE_TO_', 'tls'],
  ['INVALID_', 'tls'],
  ['CRL_', 'tls'],
  ['ERROR_IN_CERT_', 'tls'],
  ['PATH_LENGTH_', 'tls'],
];

/** What undici says, under the code of a closed socket, of an answer that it did not ask for: a 100 or a 101. */
const UNASKED = new Set(['bad response', 'bad upgrade']);

/** The name of what an error of undici or of a socket means. */
export function failureOf(error: unknown): SendFailure {
  const code = codeOf(error);
  if (code === 'UND_ERR_SOCKET' && UNASKED.has((error as Error).message)) return 'protocol';
  if (code === undefined) return (error as Error | undefined)?.name === 'HTTPParserError' ? 'protocol' : 'other';
  return BY_CODE[code] ?? BY_PREFIX.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'other';
}

function codeOf(error: unknown): string | undefined {
  // Several addresses were tried, each with an error of its own.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return typeof code === 'string' ? code : cause === undefined ? undefined : codeOf(cause);
}
