import { accessSync, constants, readFileSync } from 'node:fs';
import type { SourcesConfig } from '@hookline/config';
import { load } from 'js-yaml';
import type { z } from 'zod';
import { sourceSchema, type SourceDefinition } from './definition.js';

export interface Definitions {
  sources: SourceDefinition[];
  /** Each names the setting, the source's index and the field. */
  faults: string[];
}

/**
 * The sources that the settings name, none where they name none; and everything that is wrong with them at once, for
 * `check` of the role and for `--validate-config`.
 */
export function readDefinitions({ inline, file }: Pick<SourcesConfig, 'inline' | 'file'>): Definitions {
  if (inline !== undefined && file !== undefined)
    return fault('HOOKLINE_SOURCES and HOOKLINE_SOURCES_FILE are both set: one list of sources is enough');
  if (file !== undefined) return fromFile(file);
  return inline === undefined ? { sources: [], faults: [] } : parse('HOOKLINE_SOURCES', inline);
}

function fromFile(file: string): Definitions {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return fault(`HOOKLINE_SOURCES_FILE can't be read: ${(error as Error).message}`);
  }
  return parse('HOOKLINE_SOURCES_FILE', text);
}

function parse(setting: string, text: string): Definitions {
  let list: unknown;
  try {
    // JSON is YAML too.
    list = load(text);
  } catch (error) {
    return fault(`${setting} is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  if (!Array.isArray(list)) return fault(`${setting} must be a list of sources`);
  const sources: SourceDefinition[] = [];
  const faults: string[] = [];
  for (const [index, item] of list.entries()) {
    const at = `${setting}[${index}]`;
    const result = sourceSchema.safeParse(item);
    if (result.success) {
      sources.push(result.data);
      faults.push(...contradictions(result.data).map((each) => `${at}.${each}`));
    } else faults.push(...result.error.issues.flatMap((issue) => describe(at, issue)));
    faults.push(...repeats(list, index).map((each) => `${at}.${each}`));
  }
  return { sources, faults };
}

/** What stands under a union is said of the member that was meant, not of all of them. */
function describe(at: string, issue: z.core.$ZodIssue): string[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${at}${path}.${key} is not a field of a source`);
  if (issue.code === 'invalid_union') {
    const closest = issue.errors.find((errors) => errors.every((error) => error.path.length > 0));
    if (closest !== undefined) return closest.flatMap((each) => describe(`${at}${path}`, each));
  }
  return [`${at}${path} ${issue.message}`];
}

/** What is right by itself and not together. */
function contradictions({ format, kafka }: SourceDefinition): string[] {
  const found: string[] = [];
  if (typeof format === 'object' && 'mapping' in format) {
    for (const [field, term] of Object.entries(format.mapping))
      if ('attribute' in term) found.push(`format.mapping.${field} names an attribute: only a CloudEvent has those`);
  }
  if (kafka === undefined) return found;
  for (const field of ['tlsCaFile', 'tlsCertFile', 'tlsKeyFile', 'saslPasswordFile'] as const)
    if (!isReadable(kafka[field])) found.push(`kafka.${field} can't be read: ${kafka[field]}`);
  if (kafka.saslMechanism === 'none') return found;
  if (kafka.saslUsername === undefined) found.push('kafka.saslUsername is needed to log in');
  if (kafka.saslPasswordFile === undefined) found.push('kafka.saslPasswordFile is needed to log in');
  return found;
}

function isReadable(file: string | undefined): boolean {
  if (file === undefined) return true;
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** A name is a consumer group's, and a topic has one tenant: neither is given twice. */
function repeats(list: readonly unknown[], index: number): string[] {
  const it = (list[index] ?? {}) as Partial<SourceDefinition>;
  const before = (list.slice(0, index) as (Partial<SourceDefinition> | null)[]).map((each) => each ?? {});
  const found: string[] = [];
  const { name, topic } = it;
  if (name !== undefined && before.some((each) => each.name === name))
    found.push(`name ${String(name)} is another source's already`);
  if (topic !== undefined && before.some((each) => each.topic === topic && sameCluster(each, it)))
    found.push(`topic ${String(topic)} is another source's already`);
  return found;
}

function sameCluster(a: Partial<SourceDefinition>, b: Partial<SourceDefinition>): boolean {
  return JSON.stringify(a.kafka?.brokers) === JSON.stringify(b.kafka?.brokers);
}

const fault = (text: string): Definitions => ({ sources: [], faults: [text] });
