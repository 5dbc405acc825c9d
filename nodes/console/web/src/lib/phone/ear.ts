// What is heard, made no louder than an ear bears, in the headset that was chosen.

import { CEILING, RATIO, THRESHOLD, clip, factor, makeup } from './limit';
import { loudness } from './speech';

export class Ear {
  private readonly entry: DynamicsCompressorNode;
  private readonly meter: AnalyserNode;
  private readonly samples: Float32Array<ArrayBuffer>;
  private readonly speaker = new Audio();
  private heard: { source: MediaStreamAudioSourceNode; element: HTMLAudioElement } | undefined;

  constructor(private readonly context: AudioContext) {
    const knee = 0;
    this.entry = new DynamicsCompressorNode(context, { threshold: THRESHOLD, ratio: RATIO, knee, attack: 0.001, release: 0.1 });
    const back = new GainNode(context, { gain: factor(-makeup(THRESHOLD, RATIO)) });
    const top = new WaveShaperNode(context, { curve: clip(CEILING) });
    this.meter = new AnalyserNode(context, { fftSize: 1024 });
    this.samples = new Float32Array(this.meter.fftSize);
    const out = new MediaStreamAudioDestinationNode(context);
    this.entry.connect(back).connect(top).connect(this.meter).connect(out);
    this.speaker.srcObject = out.stream;
  }

  /** Plays this from now on, and nothing else. */
  hear(track: MediaStreamTrack): void {
    this.forget();
    const stream = new MediaStream([track]);
    // Chromium gives remote sound to nobody before an element plays it.
    const element = new Audio();
    element.muted = true;
    element.srcObject = stream;
    const source = this.context.createMediaStreamSource(stream);
    source.connect(this.entry);
    this.heard = { source, element };
    play(element);
    play(this.speaker);
  }

  /** Something is to be heard, and the browser does not let it. */
  get blocked(): boolean {
    return this.heard !== undefined && this.speaker.paused;
  }

  unlock(): void {
    if (this.blocked) play(this.speaker);
  }

  forget(): void {
    this.heard?.source.disconnect();
    if (this.heard) this.heard.element.srcObject = null;
    this.heard = undefined;
  }

  /** 0 to 1, behind the limiter. */
  level(): number {
    this.meter.getFloatTimeDomainData(this.samples);
    return loudness(this.samples);
  }

  useSpeaker(id: string): void {
    useSpeaker(this.speaker, id);
  }

  close(): void {
    this.forget();
    this.speaker.srcObject = null;
  }
}

/** Plays as soon as the browser lets it: a press anywhere unlocks sound. */
export function play(element: HTMLAudioElement): void {
  element.play().catch(() => {});
}

/** One that is not there any more, or a browser that can't choose: the usual one. */
export function useSpeaker(element: HTMLAudioElement, id: string): void {
  if ('setSinkId' in element) element.setSinkId(id).catch(() => {});
}
