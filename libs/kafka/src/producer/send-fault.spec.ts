import { describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { faultOf } from './send-fault.js';

const protocol = (type: string): Error => Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type });

describe('faultOf', () => {
  it.each([
    ['MESSAGE_TOO_LARGE', 'refused'],
    ['INVALID_RECORD', 'refused'],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'new-producer'],
    ['INVALID_PRODUCER_EPOCH', 'new-producer'],
    ['NOT_LEADER_FOR_PARTITION', 'retry'],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry'],
  ])('%s: %s', (type, kind) => {
    expect(faultOf(protocol(type))).toMatchObject({ kind, name: type });
  });

  it('looks through the wrapping of kafkajs', () => {
    const wrapped = new kafkajs.KafkaJSNumberOfRetriesExceeded(protocol('NOT_ENOUGH_REPLICAS'), {
      retryCount: 1,
      retryTime: 1,
    });
    expect(faultOf(Object.assign(wrapped, { cause: protocol('NOT_ENOUGH_REPLICAS') })).name).toBe(
      'NOT_ENOUGH_REPLICAS',
    );
  });

  it('leaves lost connections to kafkajs', () => {
    expect(faultOf(new kafkajs.KafkaJSConnectionError('Connection error: ECONNREFUSED')).kind).toBe('retry');
  });

  it('makes new connections for what kafkajs does not retry', () => {
    expect(faultOf(new Error('Broker not connected')).kind).toBe('reconnect');
    expect(faultOf(new TypeError('undefined is not a broker')).kind).toBe('reconnect');
  });
});
