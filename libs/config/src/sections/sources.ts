import { section } from '../load.js';
import { count, duration, optionalText } from '../setting.js';

/** Topics of producers that are read as events; docs/sources.md says what a list of sources looks like. */
export interface SourcesConfig {
  inline: string | undefined;
  file: string | undefined;
  maxInFlight: number;
  topicPollMs: number;
}

export const sourcesSection = section<SourcesConfig>('Sources', {
  inline: optionalText('HOOKLINE_SOURCES', 'The list of sources itself, JSON or YAML.'),
  file: optionalText('HOOKLINE_SOURCES_FILE', 'A file with the list of sources, JSON or YAML, instead.'),
  maxInFlight: count(
    'HOOKLINE_SOURCE_MAX_IN_FLIGHT',
    'Records of a source that are read and not yet acknowledged, at most; it is read again at half of them.',
    { default: 5_000, min: 1, max: 1_000_000 },
  ),
  topicPollMs: duration(
    'HOOKLINE_SOURCE_TOPIC_POLL',
    "How often it is looked whether a source's topic has come into being.",
    { default: '5s' },
  ),
});
