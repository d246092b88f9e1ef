import { describe, expect, it } from '@jest/globals';
import { unavailability } from './unavailability.js';

const coded = (code: string, message = 'it went wrong'): Error => Object.assign(new Error(message), { code });

describe('unavailability', () => {
  it.each([
    coded('ECONNREFUSED'),
    coded('57P01'),
    coded('08006'),
    new Error('Connection terminated unexpectedly'),
    new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]),
    Object.assign(new Error('QueryFailedError'), { driverError: coded('57014') }),
  ])('is what %s means', (error) => {
    expect(unavailability(error)).toBe('The connection failed.');
  });

  it('says so where only the tables are missing', () => {
    expect(unavailability(Object.assign(new Error('x'), { driverError: coded('42P01') }))).toContain('set-up');
  });

  it.each([coded('23505'), coded('22021'), new Error('a fault of ours'), new TypeError(), 'text', undefined])(
    'is not what %s means',
    (error) => {
      expect(unavailability(error)).toBeUndefined();
    },
  );

  it('does not follow an error into itself for ever', () => {
    const error = new Error('x');
    Object.assign(error, { driverError: error });
    expect(unavailability(error)).toBeUndefined();
  });
});
