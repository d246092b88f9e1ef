export { unlessAborted } from '@hookline/persistence';
