/** Whether PostgreSQL will never take a value: SQLSTATE classes 22 (data exception) and 54 (program limit exceeded). */
export function isRefusal(error: unknown): error is Error {
  const code: unknown = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^(22|54)...$/.test(code);
}
