// A recording's shape for the eye, and its two sides for the ear.

import type { Recording } from './types';

/** Loudest sample of each column, one list a channel. */
export type Peaks = Float32Array[];

/** Longer recordings are played without their picture: it needs all their sound in memory, Opus' at six times the rate. */
const LONGEST_MS = { wav: 35 * 60_000, opus: 10 * 60_000 };

export function isPictured(recording: Recording): boolean {
  return recording.duration_ms <= LONGEST_MS[recording.format ?? 'wav'];
}

export async function peaks(url: string, columns: number): Promise<Peaks> {
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) return [];
  const decoder = new OfflineAudioContext(2, 1, 8000);
  const sound = await decoder.decodeAudioData(await response.arrayBuffer());
  return Array.from({ length: sound.numberOfChannels }, (_, channel) => loudest(sound.getChannelData(channel), columns));
}

function loudest(samples: Float32Array, columns: number): Float32Array {
  const result = new Float32Array(columns);
  const width = samples.length / columns;
  for (let column = 0; column < columns; column++) {
    let most = 0;
    for (let i = Math.floor(column * width); i < (column + 1) * width; i++) most = Math.max(most, Math.abs(samples[i] ?? 0));
    result[column] = most;
  }
  return result;
}

export type Side = 'both' | 'caller' | 'agent';

/** Plays both sides in both ears, or one side alone. The caller is left, the agent right. */
export class Sides {
  private readonly context = new AudioContext();
  private readonly caller = this.context.createGain();
  private readonly agent = this.context.createGain();

  constructor(element: HTMLAudioElement) {
    const splitter = this.context.createChannelSplitter(2);
    this.context.createMediaElementSource(element).connect(splitter);
    splitter.connect(this.caller, 0).connect(this.context.destination);
    splitter.connect(this.agent, 1).connect(this.context.destination);
  }

  /** Browsers let sound start only after a press. */
  async listen(side: Side): Promise<void> {
    this.caller.gain.value = side === 'agent' ? 0 : 1;
    this.agent.gain.value = side === 'caller' ? 0 : 1;
    await this.context.resume();
  }

  close(): void {
    void this.context.close();
  }
}
