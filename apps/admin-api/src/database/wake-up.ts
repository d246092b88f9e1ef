export { WakeUp } from '@hookline/persistence';
