// Words, times and durations as the reader's language writes them.

import { Refused } from './api';
import { settings } from './settings.svelte';
import { english, refusals, russian, type Word } from './words';

export function t(word: Word): string {
  return settings.language === 'ru' ? russian[word] : english[word];
}

/** The word with what belongs into its {places}. */
export function sentence(word: Word, values: Record<string, string>): string {
  return t(word).replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}

/** The word for a value of the API; a value that the pages don't know is shown as it came. */
export function value(kind: 'state' | 'outcome' | 'direction' | 'reason' | 'node' | 'monitors', name: string): string {
  const word = `${kind}.${name}`;
  return word in english ? t(word as Word) : name;
}

/** What went wrong, in the reader's language: the server's own sentences are English and say more. */
export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = error instanceof Refused && settings.language === 'ru' ? refusals[error.kind] : undefined;
  return known ?? error.message;
}

/** 0:07, 12:34, 1:02:03. */
export function duration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const pad = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

export function moment(ms: number): string {
  const date = new Date(ms);
  const time = date.toLocaleTimeString(settings.language, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${date.toLocaleDateString(settings.language, { day: '2-digit', month: '2-digit' })} ${time}`;
}

/** Numbers in groups, for eyes: 7 495 123-45-67. Others stay as they are. */
export function phone(number: string): string {
  const parts = /^(\+?7)(\d{3})(\d{3})(\d{2})(\d{2})$/.exec(number);
  return parts ? `${parts[1]} ${parts[2]} ${parts[3]}-${parts[4]}-${parts[5]}` : number;
}

export function percent(part: number, whole: number): number | null {
  return whole > 0 ? Math.round((100 * part) / whole) : null;
}
