export { Session } from '@hookline/persistence';
