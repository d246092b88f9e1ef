/** Why something can't start here, in a sentence that says what to do. Shown to a person as it is, without a stack. */
export class StartError extends Error {
  override name = 'StartError';
}
