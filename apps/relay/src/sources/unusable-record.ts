/** A record can't become an event: the message says which part is wrong and how. It goes to the dead letters. */
export class UnusableRecord extends Error {
  override name = 'UnusableRecord';
}
