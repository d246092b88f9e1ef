import { Door } from '../attempt/door.js';
import type { EndpointHealth } from './health.js';
import type { Target } from './target.js';

/** A subscription over all its versions: what is in flight to it, and how its endpoint does. */
export class Subscriber {
  readonly door = new Door();
  /** The latest version; set as soon as it is made. */
  current: Target | undefined;

  constructor(readonly health: EndpointHealth) {}
}
