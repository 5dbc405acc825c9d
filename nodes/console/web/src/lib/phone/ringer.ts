// The bell, made of two tones; on a loudspeaker of its own, for a headset may lie on the table.

import { play, useSpeaker } from './ear';

const TONES = [523.25, 659.25];
const LOUD = 0.2;
/** On for a moment, and again after a while. */
const ON_S = 0.9;
const EVERY_MS = 2500;

export class Ringer {
  private readonly volume: GainNode;
  private readonly speaker = new Audio();
  private again: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly context: AudioContext) {
    this.volume = new GainNode(context, { gain: 0 });
    const out = new MediaStreamAudioDestinationNode(context);
    this.volume.connect(out);
    for (const frequency of TONES) {
      const tone = new OscillatorNode(context, { frequency });
      tone.connect(this.volume);
      tone.start();
    }
    this.speaker.srcObject = out.stream;
  }

  ring(): void {
    if (this.again !== undefined) return;
    play(this.speaker);
    this.strike();
    this.again = setInterval(() => this.strike(), EVERY_MS);
  }

  hush(): void {
    clearInterval(this.again);
    this.again = undefined;
    this.volume.gain.cancelScheduledValues(0);
    this.volume.gain.value = 0;
    this.speaker.pause();
  }

  useSpeaker(id: string): void {
    useSpeaker(this.speaker, id);
  }

  private strike(): void {
    const [gain, now] = [this.volume.gain, this.context.currentTime];
    gain.cancelScheduledValues(now);
    gain.setValueAtTime(0, now);
    gain.linearRampToValueAtTime(LOUD, now + 0.02);
    gain.setValueAtTime(LOUD, now + ON_S / 2);
    gain.linearRampToValueAtTime(0, now + ON_S);
  }
}
