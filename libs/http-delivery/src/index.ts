export { EndpointClient, type EndpointClientSettings, type SendRequest, type SendResult } from './endpoint-client.js';
export { Endpoint } from './endpoint.js';
export { AddressGuard, AddressRefused, NotACidr } from './address-guard.js';
export type { SendFailure } from './send-failure.js';
