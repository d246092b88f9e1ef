import { isNativeError } from 'node:util/types';

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
  '25006', // a standby
  '28P01', // the password is wrong: it is being rotated, or the settings are wrong
]);

const FAILED = 'The connection failed.';

/** No such database, table or column. */
const SCHEMA_CODES = new Set(['3D000', '42P01', '42703']);

/** pg has no codes for these. */
const MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Connection ended/i;

/** Why PostgreSQL can't be used at the moment, if that is what the error means, and not that the statement was wrong. */
export function unavailability(error: unknown): string | undefined {
  // Not by `instanceof`: Node's own errors may be of another realm than this code.
  if (!isNativeError(error)) return undefined;
  const { code, driverError, errors } = error as Error & { code?: unknown; driverError?: unknown; errors?: unknown };
  if (typeof code === 'string') {
    if (SCHEMA_CODES.has(code)) return 'Its tables are not made yet, or not all of them: run the set-up.';
    if (CODES.has(code) || code.startsWith('08')) return FAILED;
  }
  if (MESSAGES.test(error.message)) return FAILED;
  if (Array.isArray(errors)) return errors.map(unavailability).find((reason) => reason !== undefined);
  return driverError === error ? undefined : unavailability(driverError);
}
