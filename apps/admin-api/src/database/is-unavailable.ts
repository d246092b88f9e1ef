/** Codes of Node, and of PostgreSQL, for: not here, not now, not with this schema yet. */
const CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  '53300', // too many connections
  '57014', // the statement took too long
  '57P01', // shutting down
  '57P02',
  '57P03', // starting up
  '3D000', // the database is not made yet
  '42P01', // its tables are not made yet
  '42703',
  '25006', // a standby
  '28P01', // the password is wrong: it is being rotated, or the settings are wrong
]);

/** pg has no codes for these. */
const MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Connection ended/i;

/** Whether an error means that PostgreSQL can't be used at the moment, and not that the statement was wrong. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, driverError, errors } = error as Error & { code?: unknown; driverError?: unknown; errors?: unknown };
  if (typeof code === 'string' && (CODES.has(code) || code.startsWith('08'))) return true;
  if (Array.isArray(errors) && errors.some(isUnavailable)) return true;
  return MESSAGES.test(error.message) || (driverError !== error && isUnavailable(driverError));
}
