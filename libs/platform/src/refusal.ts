/**
 * A process does not start, and has written nothing: its message says why, and what to do, to a person. Whoever runs it
 * shows the message, without a stack.
 */
export class Refusal extends Error {
  override name = 'Refusal';
}
