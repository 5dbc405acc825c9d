// One SIP session with its sound. What JsSIP would end by itself, because the way to the sound or an answer was lost, is not
// ended here: it is reported, and the call is taken up anew by another session.

import type { EndEvent, OutgoingEvent, RTCSession } from 'jssip/lib/RTCSession';
import type { Dialog } from './dialog';
import { stop } from './headset';

/** How long a pressed key sounds, and the pause after it. */
const DIGIT_MS = 120;
const GAP_MS = 80;

/** JsSIP reads these out of every message, its types don't say so. */
interface Tagged {
  call_id: string;
  from_tag: string;
  to_tag: string;
}

/** Of a message that the server sent. */
function named(message: unknown, begun: 'by-us' | 'by-them'): Dialog {
  const { call_id: call, from_tag, to_tag } = message as Tagged;
  return begun === 'by-us' ? { call, ours: from_tag, theirs: to_tag } : { call, ours: to_tag, theirs: from_tag };
}

export interface LineReports {
  answered(): void;
  /** With the status of the refusal; 0 where there was none. */
  over(status: number): void;
  /** The session is of no use any more; the call may well be. */
  lost(): void;
  /** Its sound comes. */
  heard(): void;
}

export class Line {
  /** What comes from the other side. */
  sound: MediaStreamTrack | undefined;

  private voice: MediaStream | undefined;
  private names: Dialog | null = null;
  private begins: 'talking' | 'held' = 'talking';

  private constructor(
    private readonly session: RTCSession,
    private readonly reports: LineReports,
  ) {
    session.on('accepted', ({ response }: OutgoingEvent) => {
      // An answer of our own carries none.
      if (response) this.names = named(response, 'by-us');
      reports.answered();
    });
    session.on('confirmed', () => {
      if (this.begins === 'held') session.hold();
    });
    session.on('ended', () => this.over(0));
    session.on('failed', ({ message }: EndEvent) => this.over((message as { status_code?: number } | null)?.status_code ?? 0));
    // Our candidates are not looked at by a lite far end: nobody waits until all are found.
    session.on('icecandidate', ({ ready }) => ready());
    const terminate = session.terminate.bind(session);
    session.terminate = (options) => {
      // Without a cause it is our own wish.
      if (options?.cause !== undefined && session.isEstablished()) reports.lost();
      else terminate(options);
    };
  }

  static incoming(session: RTCSession, request: unknown, reports: LineReports): Line {
    const line = new Line(session, reports);
    line.names = named(request, 'by-them');
    return line;
  }

  static outgoing(session: RTCSession, voice: MediaStream, reports: LineReports): Line {
    const line = new Line(session, reports);
    line.voice = voice;
    line.listen();
    return line;
  }

  /** Once it is answered. */
  get dialog(): Dialog | null {
    return this.names;
  }

  answer(voice: MediaStream, pcConfig: RTCConfiguration): void {
    this.voice = voice;
    this.session.answer({ mediaStream: voice, pcConfig });
    this.listen();
  }

  mute(muted: boolean): void {
    if (muted) this.session.mute({ audio: true });
    else this.session.unmute({ audio: true });
  }

  /** It takes the place of one that is held, and is held itself as soon as it may say so. */
  beginHeld(): void {
    this.begins = 'held';
  }

  /** False where it can't be done just now. */
  hold(held: boolean): boolean {
    return held ? this.session.hold() : this.session.unhold();
  }

  digit(digit: string): void {
    const dtmf = this.sender()?.dtmf;
    // What was not said yet goes first.
    if (dtmf?.canInsertDTMF) dtmf.insertDTMF(dtmf.toneBuffer + digit, DIGIT_MS, GAP_MS);
  }

  /** Another microphone. */
  async speakBy(voice: MediaStream): Promise<void> {
    const [old, track] = [this.voice, voice.getAudioTracks()[0] ?? null];
    if (track && old) track.enabled = old.getAudioTracks()[0]?.enabled ?? true;
    this.voice = voice;
    await this.sender()?.replaceTrack(track);
    if (old) stop(old);
  }

  hangUp(): void {
    if (!this.session.isEnded()) this.session.terminate();
  }

  /** With no word to the server, which knows: another session has taken its place, or another page will. */
  drop(): void {
    this.session.connection?.close();
    this.silence();
  }

  /** Whether sound goes both ways as far as the browser knows. */
  get sounds(): boolean {
    const state = this.session.connection?.iceConnectionState;
    return state !== 'disconnected' && state !== 'failed' && state !== 'closed';
  }

  async statistics(): Promise<Iterable<Record<string, unknown>>> {
    const report = await this.session.connection?.getStats();
    const all: Record<string, unknown>[] = [];
    report?.forEach((one: Record<string, unknown>) => all.push(one));
    return all;
  }

  private listen(): void {
    this.session.connection.addEventListener('track', ({ track }) => {
      this.sound = track;
      this.reports.heard();
    });
  }

  private sender(): RTCRtpSender | undefined {
    return this.session.connection?.getSenders().find((sender) => sender.track?.kind === 'audio');
  }

  private over(status: number): void {
    this.silence();
    this.reports.over(status);
  }

  private silence(): void {
    if (this.voice) stop(this.voice);
  }
}
