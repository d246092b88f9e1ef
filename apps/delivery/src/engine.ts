import type { DeliveryConfig } from '@hookline/config';
import { TOPICS } from '@hookline/contracts';
import { RetryPolicy, type Sealer } from '@hookline/domain';
import type { EndpointClient } from '@hookline/http-delivery';
import type { Assignment, Output } from '@hookline/kafka';
import type { Clock, Logger } from '@hookline/platform';
import { Attempter } from './attempt/attempter.js';
import { Deliverer } from './attempt/deliverer.js';
import { OwnersWords } from './attempt/owners-words.js';
import { Rooms } from './attempt/rooms.js';
import { Handover } from './handover/handover.js';
import { PatientOutput } from './handover/patient-output.js';
import { EventIntake } from './intake/event-intake.js';
import { Backlogs, type BacklogPorts } from './lanes/backlogs.js';
import { LaneIntake } from './lanes/lane-intake.js';
import type { Share } from './lanes/share.js';
import type { DeliveryMetrics } from './metrics.js';
import type { LaneEnd } from './ordering/lane-end.js';
import type { ReadLane } from './ordering/lane-scan.js';
import { OrderedHandover } from './ordering/ordered-handover.js';
import { OrderedLanes } from './ordering/ordered-lanes.js';
import type { Target } from './subscriptions/target.js';
import { Targets } from './subscriptions/targets.js';

export interface EngineParts {
  readonly settings: DeliveryConfig;
  readonly sealer: Sealer;
  readonly client: Pick<EndpointClient, 'send'>;
  readonly output: Output;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: DeliveryMetrics;
  /** Whether the group of the events, or that of the lanes, still counts on this worker: asked before every attempt. */
  readonly owns: Readonly<Record<'event' | 'lane', (assignment: Assignment) => boolean>>;
  /** For so long an owner that hears nothing of its group may still take itself for the owner, ms. */
  readonly leaseMs: number;
  readonly share: Share;
  readonly readLane: ReadLane;
  readonly laneEnd: LaneEnd;
}

/** What a delivery worker does, put together: two handlers that share rooms, subscriptions and ways out. */
export class DeliveryEngine {
  readonly targets: Targets;
  readonly rooms: Rooms;
  /** What owners say about endpoints: takes the records of the progress. */
  readonly words: OwnersWords;
  readonly events: EventIntake;
  readonly lanes: LaneIntake;
  readonly ordered: OrderedLanes;
  private readonly backlogs: Backlogs;

  constructor(parts: EngineParts) {
    const { settings, sealer, client, output, clock, logger, metrics, owns, leaseMs, share } = parts;
    const { readLane, laneEnd } = parts;
    const policy = new RetryPolicy(settings);
    const ownsRecord = (assignment: Assignment): boolean =>
      (assignment.topic === TOPICS.events ? owns.event : owns.lane)(assignment);
    const handover = new Handover(new PatientOutput(output, clock), metrics, ownsRecord);
    const attempter = new Attempter(client, clock, logger);
    this.targets = new Targets(sealer, (target, last) => {
      // Nobody tries it any more.
      if (target.status === 'deleted' && share.isOwner(target.id)) this.words.sayHealthy(target.id, clock.now());
      this.changed(target, last);
    });
    this.words = new OwnersWords(output, settings.breakerWordMs, (id) => share.isOwner(id));
    this.rooms = new Rooms(settings, clock, share, this.words);
    const deliverer = new Deliverer(this.rooms, attempter, handover, policy, settings, clock, metrics);
    const partitionOf = (subscriptionId: string): number => share.lanePartitionOf(subscriptionId);
    const inOrder = new OrderedHandover(
      {
        write: (delivery, mayLeave) => {
          // It may have waited here.
          this.targets.get(delivery.envelope.subscriptionId)?.subscriber.adopt(delivery.envelope);
          return handover.toLaneOnce(delivery, mayLeave);
        },
        tell: (delivery) => handover.isInLane(delivery),
        owns: owns.event,
      },
      clock,
      logger,
    );
    this.events = new EventIntake(this.targets, deliverer, handover, inOrder, settings, clock, owns.event, partitionOf);
    const { targets } = this;
    const jitterMs: RetryPolicy['jitterMs'] = (progress, delayMs) => policy.jitterMs(progress, delayMs);
    const owned = { targets, deliverer, jitterMs, owns: owns.lane, leaseMs, readLane, laneEnd, clock, logger };
    this.ordered = new OrderedLanes(settings, owned);
    const tell: BacklogPorts['tell'] = (event, source, backlog) => handover.backlog(event, source, backlog);
    const { ordered } = this;
    const shareOf: BacklogPorts['shareOf'] = (partition, scarceAbove) => ordered.shareOf(partition, scarceAbove);
    const ports = { targets, lanePartitionOf: partitionOf, shareOf, tell };
    this.backlogs = new Backlogs(settings.subscriptionBacklog, ports, clock);
    const { backlogs } = this;
    this.lanes = new LaneIntake(targets, deliverer, handover, ordered, backlogs, policy, settings, clock, owns.lane);
  }

  private changed(target: Target, last: Target | undefined): void {
    this.ordered.changed(target, last);
    this.backlogs.changed(target);
  }
}
