import { setTimeout as pause } from 'node:timers/promises';
import type { Publishers } from '../load/publishers.js';
import type { Chance } from '../random.js';
import type { Scenario } from '../scenario.js';
import type { Site } from '../site/site.js';
import { insist } from './insist.js';

/** Shorter than a session: the group goes on with the worker that hears of everything late. */
const FROZEN_MS = 1_500;

/** What subscriptions go through while events come for them; who makes the changes insists on each. */
export class Lives {
  /** How many events had been acknowledged when it was first asked to hold those of `paused`. */
  acknowledgedBefore = 0;
  private pausing: Promise<void> = Promise.resolve();

  constructor(
    private readonly site: Site,
    private readonly scenario: Scenario,
    private readonly load: Publishers,
    private readonly chance: Chance,
  ) {}

  /** Two are paused, one gets 410, one is made and then widened, and one of the workers hears of it all late. */
  async begin(): Promise<void> {
    const { scenario } = this;
    const late = this.chance.oneOf(this.site.fleet.running('delivery'));
    await late.kill('SIGSTOP');
    try {
      this.acknowledgedBefore = this.load.acknowledged.size;
      await Promise.all([
        pause(FROZEN_MS),
        this.pause('paused'),
        this.pause('resumed'),
        scenario.endpointGone(),
        scenario.makeLate().then(() => scenario.widenLate()),
      ]);
    } finally {
      await late.kill('SIGCONT');
    }
  }

  /** The one that was made meanwhile is paused as soon as that is possible. */
  duringFault(): void {
    this.pausing = this.pause('late');
    // Who resumes it hears of it.
    this.pausing.catch(() => undefined);
  }

  /** Those that are not to stay as they are get what they have missed. */
  async afterFault(): Promise<void> {
    await this.pausing;
    await Promise.all([this.resume('resumed'), this.resume('late')]);
  }

  private pause(name: 'paused' | 'resumed' | 'late'): Promise<void> {
    return this.post(name, 'pause');
  }

  private resume(name: 'resumed' | 'late'): Promise<void> {
    return this.post(name, 'resume');
  }

  private async post(name: 'paused' | 'resumed' | 'late', what: 'pause' | 'resume'): Promise<void> {
    const { api } = this.scenario;
    const { id } = this.scenario.get(name);
    await insist(`the ${what} of ${name}`, () => api.admin('POST', `/v1/webhooks/subscriptions/${id}/${what}`, {}));
  }
}
