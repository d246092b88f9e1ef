import type { Fault } from '../fault.js';

const CUTS = 60;
const EACH = 7;

export const NETWORK_FAULTS: readonly Fault[] = [
  {
    name: 'cut-before-the-answer',
    about: `connections to brokers are cut between append and answer, ${CUTS} times`,
    needs: ['detours'],
    finds: 'publishes',
    lasts: [10, 20],
    strike: async ({ site: { kafkaProxy }, note }) => {
      let answers = 0;
      kafkaProxy.cuts = 0;
      kafkaProxy.shouldCut = () => ++answers % EACH === 0 && kafkaProxy.cuts < CUTS;
      return async () => {
        kafkaProxy.shouldCut = () => false;
        note(`${kafkaProxy.cuts} connections cut`);
        if (kafkaProxy.cuts === 0) throw new Error('no connection was cut');
      };
    },
  },
  {
    name: 'slow-network',
    about: 'everything between roles and brokers takes 50 to 250 ms longer, each way',
    needs: ['detours'],
    finds: 'publishes',
    lasts: [15, 30],
    strike: async ({ site: { kafkaProxy }, chance, note }) => {
      kafkaProxy.delayMs = chance.between(50, 250);
      note(`${kafkaProxy.delayMs} ms`);
      return async () => {
        kafkaProxy.delayMs = 0;
      };
    },
  },
];
