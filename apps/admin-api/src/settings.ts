import {
  adminSection,
  databaseSection,
  deliverySection,
  failingSection,
  kafkaSection,
  operatorSection,
  publishSection,
  pumpSection,
  sealingSection,
  streamSection,
  topicsSection,
} from '@hookline/config';
import { Sealer } from '@hookline/domain';
import { AddressGuard } from '@hookline/http-delivery';
import type { RoleConfig } from '@hookline/platform';

/** Of delivery and publishing only what a subscription is checked by: the allowed networks and the length of a type. */
export const sections = {
  kafka: kafkaSection,
  pump: pumpSection,
  database: databaseSection,
  sealing: sealingSection,
  operator: operatorSection,
  publish: publishSection,
  delivery: deliverySection,
  admin: adminSection,
  stream: streamSection,
  failing: failingSection,
  topics: topicsSection,
};

export type Settings = RoleConfig<typeof sections>;

const MIN_TOKEN_LENGTH = 32;

/** What is wrong with settings that are each well-formed. */
export function faultsOf(config: Settings): string[] {
  const { token } = config.operator;
  return [
    ...(token !== undefined && token.length < MIN_TOKEN_LENGTH
      ? [`HOOKLINE_OPERATOR_TOKEN must have at least ${MIN_TOKEN_LENGTH} characters`]
      : []),
    ...failingFaults(config),
    ...faultOf('HOOKLINE_SEALING_KEYS', () => new Sealer(config.sealing.keys)),
    ...faultOf('HOOKLINE_ALLOW_CIDRS', () => new AddressGuard(config.delivery.allowCidrs)),
  ];
}

function failingFaults({ failing, delivery }: Settings): string[] {
  const { disableAfterMs, warningsMs, gapMs } = failing;
  return [
    ...(Math.max(...warningsMs) >= disableAfterMs
      ? ['HOOKLINE_FAILING_WARNINGS must all be shorter than HOOKLINE_FAILING_DISABLE_AFTER']
      : []),
    ...(gapMs <= Math.max(...delivery.retryDelaysMs)
      ? ['HOOKLINE_FAILING_GAP must be longer than each of HOOKLINE_RETRY_DELAYS']
      : []),
  ];
}

function faultOf(variable: string, make: () => unknown): string[] {
  try {
    make();
    return [];
  } catch (error) {
    return [`${variable}: ${(error as Error).message}`];
  }
}
