export interface BrokerAddresses {
  id: number;
  /** Listens for clients and for the other brokers. */
  listeners: string;
  advertised: string;
  protocols: string;
  interBroker?: string;
  /** `1@host:port,2@…` */
  voters: string;
  logDir: string;
  brokers: number;
}

/** The properties of one KRaft node that is broker and controller in one. */
export function brokerProperties(node: BrokerAddresses): Record<string, string> {
  const copies = String(node.brokers >= 3 ? 3 : 1);
  const inSync = node.brokers >= 3 ? '2' : '1';
  return {
    'process.roles': 'broker,controller',
    'node.id': String(node.id),
    'controller.quorum.voters': node.voters,
    listeners: node.listeners,
    'advertised.listeners': node.advertised,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': node.protocols,
    ...(node.interBroker === undefined ? {} : { 'inter.broker.listener.name': node.interBroker }),
    'log.dirs': node.logDir,
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '3',
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': inSync,
    'num.partitions': '3',
    'auto.create.topics.enable': 'false',
    'unclean.leader.election.enable': 'false',
    'log.message.timestamp.type': 'LogAppendTime',
    // A group forms at once: nobody waits here for members that are still to come.
    'group.initial.rebalance.delay.ms': '0',
    // A broker that was killed is noticed after this long.
    'broker.session.timeout.ms': '6000',
    'broker.heartbeat.interval.ms': '1000',
    // Offsets outlive a long stop for as long as the log does.
    'offsets.retention.minutes': '43200',
  };
}

export function toPropertiesFile(properties: Readonly<Record<string, string>>): string {
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\')}`);
  return `${lines.join('\n')}\n`;
}
