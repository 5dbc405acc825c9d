// Whether somebody speaks, by the loudness of their microphone. For "you are muted": a cough is not speech, and the words stay
// long enough to be read.

/** Louder than a quiet room, in decibels below full scale. */
const LOUD = -45;
/** Of the last samples so many must be loud. */
const SAMPLES = 5;
const NEEDED = 3;
const STAYS_MS = 2000;

/** Of a square mean between 0 and 1. */
export function decibels(level: number): number {
  return level > 0 ? 20 * Math.log10(level) : -Infinity;
}

/** The square mean of samples. */
export function loudness(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

export class Speech {
  private lately: boolean[] = [];
  private until = -Infinity;

  /** Takes a sample's level; says whether that is speech. */
  hear(level: number, now: number): boolean {
    this.lately = [...this.lately, decibels(level) > LOUD].slice(-SAMPLES);
    if (this.lately.filter(Boolean).length >= NEEDED) this.until = now + STAYS_MS;
    return now < this.until;
  }
}
