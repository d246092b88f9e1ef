export { uniqueName } from './unique-name.js';
export { testCertificate } from './certificate.js';
export { waitUntil, type Awaited } from './wait-until.js';
export { distinct } from './distinct.js';
export { TestClock } from './test-clock.js';
export { testCopies, testKafkaBrokers, testReplication } from './kafka.js';
export { startRole, type RoleProcess } from './start-role.js';
export { createTestDatabase, assertTestDatabase, truncateAll, type TestDatabase } from './database.js';
export { WebhookReceiver } from './receiver/webhook-receiver.js';
export { failFirst, failFirstOfEach, type Answer, type Behaviour, type ReceivedRequest } from './receiver/behaviour.js';
export { KafkaProxy } from './proxy/kafka-proxy.js';
export {
  HooklineApi,
  UnexpectedAnswer,
  type DeliveryView,
  type NewEvent,
  type PublishedEvent,
} from './hookline/api.js';
export { DatabaseProxy } from './proxy/database-proxy.js';
export { createTopics } from './create-topics.js';
