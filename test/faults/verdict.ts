import { matchesType, versionAt } from '@hookline/domain';
import { byCommand } from './by-command.js';
import type { DeadLetters } from './dead-letters.js';
import { isIn, type Victim } from './fault.js';
import type { Lives } from './lives/lives.js';
import { versionsOf } from './lives/versions.js';
import type { Place } from './load/way.js';
import { Quiet } from './quiet.js';
import { reconcile, type Reconciliation } from './reconcile.js';
import { isLoose, unexplained, type Loose } from './repeats.js';
import type { RunResult } from './report/results.js';
import type { Scenario, Subscribed } from './scenario.js';

const SHOWN = 10;
const NOWHERE: Place = { partition: -1, offset: -1 };

type Found = Pick<
  RunResult,
  'delivered' | 'deadLettered' | 'held' | 'pending' | 'gone' | 'lost' | 'repeated' | 'repeatable' | 'faults'
>;

interface VerdictParts {
  victim: Victim;
  scenario: Scenario;
  lives: Lives;
  deadLetters: DeadLetters;
  /** When workers were losing partitions, by now. */
  loose(): Loose;
  say(line: string): void;
}

/** What has become of each event, once all is quiet. */
export class Verdict {
  /** By subscription: the acknowledged events that it wants, and where the log has them. */
  private wanted: ReadonlyMap<Subscribed, ReadonlyMap<string, Place>> = new Map();

  constructor(private readonly parts: VerdictParts) {}

  async reach(): Promise<Found> {
    const { scenario, victim } = this.parts;
    const unquiet = await this.quiet();
    const reconciled = await Promise.all(scenario.subscriptions.map((one) => this.reconcile(one)));
    const sum = (of: (one: Reconciliation) => number): number => reconciled.reduce((all, one) => all + of(one), 0);
    for (const { subscription, overtaken } of reconciled)
      if (overtaken > 0) victim.note(`${overtaken} of ${subscription} came though they would have been held`);
    return {
      delivered: sum(({ delivered }) => delivered),
      deadLettered: sum(({ deadLettered }) => deadLettered),
      held: sum(({ held }) => held),
      pending: sum(({ pending }) => pending.length),
      gone: sum(({ gone }) => gone),
      lost: sum(({ lost }) => lost.length),
      repeated: scenario.subscriptions.reduce((all, { log }) => all + log.repeats.length, 0),
      repeatable: this.repeatable(),
      faults: [
        ...unquiet,
        ...ofReconciliations(reconciled),
        ...(await this.ofHeld(reconciled)),
        ...this.ofLogs(),
        ...(await this.ofHistory()),
        ...(await byCommand(victim.site, scenario, reconciled, victim.letGo.length === 0)),
      ],
    };
  }

  /** Has the doomed one deleted when the others have theirs. @returns what did not come to an end */
  private async quiet(): Promise<string[]> {
    const { victim, scenario, deadLetters, say } = this.parts;
    const quiet = new Quiet(victim.site, scenario, deadLetters, (one) => this.of(one), say);
    const faults: string[] = [];
    if (!(await quiet.abreast())) faults.push('history does not come abreast of the log');
    this.wanted = await this.allWanted();
    const { gone, letGo } = victim;
    // What was held where the log has let go of it comes as one dead letter for all of it.
    const never = (one: Subscribed, place: Place): boolean =>
      isIn(place, gone) || (scenario.wasHeld(one) && isIn(place, letGo));
    if (!(await quiet.delivered(never))) faults.push('not everything was delivered');
    await scenario.api.admin('DELETE', `/v1/webhooks/subscriptions/${scenario.get('doomed').id}`);
    if (!(await quiet.buried(gone))) faults.push('not everything of the doomed is a dead letter');
    if (!(await quiet.letGo(letGo))) faults.push('not all that was held and is gone is a dead letter');
    if (!(await quiet.recorded())) faults.push('history says that some goes on');
    if (!(await quiet.idle())) faults.push('requests go on coming');
    await deadLetters.update();
    return faults;
  }

  /** Of the one that was made meanwhile the log says where it begins, and where it takes more. */
  private async allWanted(): Promise<ReadonlyMap<Subscribed, ReadonlyMap<string, Place>>> {
    const { victim, scenario } = this.parts;
    const late = scenario.get('late');
    const [places, versions] = await Promise.all([
      victim.site.history.events(scenario.tenantId),
      versionsOf(victim.site, late.id),
    ]);
    const acknowledged = [...victim.load.acknowledged.keys()].map((id) => [id, places.get(id) ?? NOWHERE] as const);
    const takes = (type: string, { partition, offset }: Place): boolean =>
      versionAt(versions, partition, offset)?.types.some((pattern) => matchesType(pattern, type)) ?? false;
    const wants = (one: Subscribed, id: string, place: Place): boolean => {
      const type = scenario.plan.get(id)?.type ?? '';
      return one.wants(type) && (one !== late || takes(type, place));
    };
    return new Map(
      scenario.subscriptions.map((one) => [one, new Map(acknowledged.filter(([id, place]) => wants(one, id, place)))]),
    );
  }

  private async reconcile(one: Subscribed): Promise<Reconciliation> {
    const { scenario, victim, deadLetters } = this.parts;
    const { history } = victim.site;
    const spans = await history.spansOf(one.id);
    const ranges = deadLetters.rangesOf(one.id);
    return reconcile({
      subscription: one.name,
      acknowledged: this.of(one),
      isPublished: (id) => scenario.plan.get(id) !== undefined || id.includes('-hello-'),
      isGone: (place) => isIn(place, victim.gone),
      isHeld: (place) => isIn(place, spans),
      isDeadRange: (place) => isIn(place, ranges),
      delivered: new Set(one.log.ids()),
      deadLettered: deadLetters.of(one.id),
      history: await history.statesOf(one.id),
    });
  }

  /** Held is what is to be held, and nothing else is. */
  private async ofHeld(reconciled: readonly Reconciliation[]): Promise<string[]> {
    const { scenario, victim, lives } = this.parts;
    const faults: string[] = [];
    for (const { subscription, held, deadLettered } of reconciled) {
      const { fate } = scenario.get(subscription);
      if (fate !== 'held' && held > 0) faults.push(`${held} of ${subscription} are still held`);
      if (fate === 'held' && held + deadLettered === 0) faults.push(`nothing of ${subscription} is held`);
    }
    const spans = await victim.site.history.spansOf(scenario.get('paused').id);
    const before = [...victim.load.acknowledged].slice(0, lives.acknowledgedBefore);
    const tooEarly = before.filter(([, place]) => isIn(place, spans)).map(([id]) => id);
    return [...faults, ...told('held from before it was paused', tooEarly)];
  }

  private ofLogs(): string[] {
    const { victim, scenario } = this.parts;
    const logs = scenario.subscriptions.map(({ log }) => log);
    const early = logs.flatMap((log) => log.early);
    const twins = logs.flatMap((log) => log.twins);
    const disordered = logs
      .flatMap((log) => log.disordered)
      // Nothing waits for what the log has let go of.
      .filter(([, former]) => !isIn(victim.load.acknowledged.get(former) ?? NOWHERE, victim.gone))
      .map(([id, former]) => `${id} came, and ${former} was not there yet`);
    const loose = this.parts.loose();
    const repeats = scenario.subscriptions.flatMap(({ name, log }) =>
      unexplained(name, log.repeats, loose, (id) => scenario.plan.get(id)?.at ?? 0),
    );
    return [
      ...told('early', early),
      ...told('out of order', disordered),
      ...told('delivered under two ids', twins),
      ...told('repeated, and nothing was under way or uncommitted', repeats),
    ];
  }

  private async ofHistory(): Promise<string[]> {
    const { scenario, victim } = this.parts;
    const { load, manager, site } = victim;
    const inHistory = await site.history.events(scenario.tenantId);
    const unheard = [...load.acknowledged.keys()].filter((id) => !inHistory.has(id));
    const missing = await manager.missing();
    return [...told('not in history', unheard), ...told('changes that were acknowledged and are gone', missing)];
  }

  private repeatable(): number {
    const { scenario } = this.parts;
    const loose = this.parts.loose();
    let count = 0;
    for (const { log } of scenario.subscriptions)
      for (const eventId of log.ids()) {
        const publishedAt = scenario.plan.get(eventId)?.at;
        const acceptedAt = log.firstAccepted(eventId);
        if (publishedAt !== undefined && acceptedAt !== undefined)
          count += isLoose({ eventId, publishedAt, acceptedAt }, loose) ? 1 : 0;
      }
    return count;
  }

  private of(one: Subscribed): ReadonlyMap<string, Place> {
    return this.wanted.get(one) ?? new Map();
  }
}

const WRONG = {
  lost: 'lost',
  pending: 'pending after quiet',
  both: 'delivered and a dead letter',
  strange: 'never published',
  misrecorded: 'not so in history',
} as const;

function ofReconciliations(all: readonly Reconciliation[]): string[] {
  return Object.entries(WRONG).flatMap(([field, what]) => {
    const which = all.flatMap((one) => one[field as keyof typeof WRONG]);
    return told(what, which);
  });
}

/** One line for each, of which not too many; and how many there are. */
export function told(what: string, which: readonly string[]): string[] {
  if (which.length === 0) return [];
  const more = which.length > SHOWN ? [`… and ${which.length - SHOWN} more`] : [];
  return [`${which.length} ${what}:`, ...which.slice(0, SHOWN), ...more];
}
