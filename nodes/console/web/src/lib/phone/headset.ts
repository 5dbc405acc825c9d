// A person's sound: the microphone with its meter, the ear, the ringer. One for as long as the phone is on, so that nobody
// waits for a microphone while a customer waits for an answer.

import { devices } from './devices.svelte';
import { Ear } from './ear';
import { Ringer } from './ringer';
import { loudness } from './speech';

export class Headset {
  readonly ear: Ear;
  readonly ringer: Ringer;
  private readonly meter: AnalyserNode;
  private readonly samples: Float32Array<ArrayBuffer>;
  private source: MediaStreamAudioSourceNode | undefined;

  private constructor(
    private readonly context: AudioContext,
    private stream: MediaStream,
  ) {
    this.ear = new Ear(context);
    this.ringer = new Ringer(context);
    this.meter = new AnalyserNode(context, { fftSize: 2048 });
    this.samples = new Float32Array(this.meter.fftSize);
    this.listen();
    this.useSpeakers();
  }

  /** Asks for the microphone; fails where the person, or the machine, has none to give. */
  static async open(): Promise<Headset> {
    const context = new AudioContext({ latencyHint: 'interactive' });
    try {
      return new Headset(context, await navigator.mediaDevices.getUserMedia(devices.wanted()));
    } catch (error) {
      void context.close();
      throw error;
    }
  }

  /** Browsers let sound start only after a press. */
  get locked(): boolean {
    return this.context.state !== 'running' || this.ear.blocked;
  }

  unlock(): void {
    if (!this.locked) return;
    this.context.resume().catch(() => {});
    this.ear.unlock();
  }

  /** The microphone for one call, which may be muted without making the meter deaf. */
  voice(): MediaStream {
    return this.stream.clone();
  }

  /** How loud the person is, 0 to 1. */
  level(): number {
    this.meter.getFloatTimeDomainData(this.samples);
    return loudness(this.samples);
  }

  /** Pulled out, or taken away by the system. */
  get broken(): boolean {
    return this.stream.getAudioTracks().every((track) => track.readyState === 'ended');
  }

  /** Takes the microphone that is chosen now. */
  async change(): Promise<void> {
    const stream = await navigator.mediaDevices.getUserMedia(devices.wanted());
    // The phone was turned off meanwhile: nobody listens any more.
    if (this.context.state === 'closed') return stop(stream);
    stop(this.stream);
    this.stream = stream;
    this.listen();
  }

  useSpeakers(): void {
    this.ear.useSpeaker(devices.chosen.headset);
    this.ringer.useSpeaker(devices.chosen.ringer);
  }

  close(): void {
    this.ringer.hush();
    this.ear.close();
    stop(this.stream);
    void this.context.close();
  }

  private listen(): void {
    this.source?.disconnect();
    this.source = this.context.createMediaStreamSource(this.stream);
    this.source.connect(this.meter);
  }
}

export function stop(stream: MediaStream): void {
  stream.getTracks().forEach((track) => track.stop());
}
