// What is on the phone's line, and what becomes of it when the page is loaded anew or the network goes: the talk is taken up by
// another dialog, which takes the former one's place (RFC 3891). What a talk is to the company the server says, as for any phone.

import type { RTCSession } from 'jssip/lib/RTCSession';
import type { IncomingRequest } from 'jssip/lib/SIPMessage';
import type { Agent } from './agent';
import { afterRefusal, replacing, type Dialog, type KeptTalk } from './dialog';
import type { Headset } from './headset';
import { kept } from './kept';
import { Line, type LineReports } from './line';
import { judge, read, type Verdict } from './quality';

export interface Talk {
  /** `lost`: the way to it is, and it is being taken up anew. */
  state: 'ringing' | 'answering' | 'calling' | 'talking' | 'lost';
  kind: 'call' | 'echo';
  /** As it was signalled. */
  caller: string;
  muted: boolean;
  held: boolean;
}

/** What there is while the phone is on. */
export interface Means {
  agent: Agent;
  headset: Headset;
}

const BUSY = 486;
const SOON_MS = 500;
const LATER_MS = 1500;

export class Conversation {
  talk = $state<Talk | null>(null);
  network = $state<Verdict | null>(null);

  private means: Means | undefined;
  private registered = false;
  private line: Line | undefined;
  /** Will take the line's place once it is answered. */
  private next: Line | undefined;
  private dialog: Dialog | null = null;
  private again: ReturnType<typeof setTimeout> | undefined;

  /** A talk from before goes on as soon as the phone is registered. */
  remember(talk: KeptTalk | null): void {
    this.dialog = talk;
    this.talk = talk && { state: 'lost', kind: 'call', caller: talk.caller, muted: talk.muted, held: talk.held };
  }

  begin(means: Means): void {
    this.means = means;
  }

  /** Nothing is hung up, and nothing of it forgotten that another page needs. */
  drop(): void {
    this.line?.drop();
    this.next?.drop();
    this.clear();
    this.means = undefined;
    this.registered = false;
  }

  registers(is: boolean): void {
    this.registered = is;
    // The server has gone on to somebody else; an answer that was not said yet is said to nobody.
    if (!is && (this.talk?.state === 'ringing' || this.talk?.state === 'answering')) this.line?.hangUp();
    if (!is) return;
    if (this.talk?.state === 'talking' && this.line?.sounds === false) this.talk.state = 'lost';
    if (this.talk?.state === 'lost') this.renew();
  }

  rung(session: RTCSession, request: IncomingRequest): void {
    if (this.talk) {
      session.terminate({ status_code: BUSY });
      return;
    }
    const { display_name, uri } = session.remote_identity;
    this.talk = { state: 'ringing', kind: 'call', caller: display_name || uri.user, muted: false, held: false };
    const line: Line = Line.incoming(session, request, this.reports(() => line));
    this.line = line;
    // Only the server says so: a supervisor has asked to be brought to a talk.
    if (/answer-after=0/.test(request.getHeader('Call-Info') ?? '')) this.answer();
  }

  answer(): void {
    if (this.talk?.state !== 'ringing' || !this.means) return;
    this.talk.state = 'answering';
    this.line?.answer(this.means.headset.voice(), this.means.agent.connection);
  }

  /** Calls who says everything back. */
  echo(): void {
    if (this.talk || !this.means) return;
    const { agent, headset } = this.means;
    const voice = headset.voice();
    const line: Line = Line.outgoing(agent.call(agent.echo, voice), voice, this.reports(() => line));
    this.line = line;
    this.talk = { state: 'calling', kind: 'echo', caller: '', muted: false, held: false };
  }

  /** Ends what has a session. One that is lost may have none: that is ended by the server, and not taken up any more. */
  hangUp(): void {
    const { line, next } = this;
    const lost = this.talk?.state === 'lost';
    line?.hangUp();
    next?.hangUp();
    if (lost && this.talk) this.over();
  }

  mute(): void {
    if (this.talk?.state !== 'talking') return;
    this.talk.muted = !this.talk.muted;
    this.line?.mute(this.talk.muted);
    this.keep();
  }

  hold(): void {
    if (this.talk?.state !== 'talking' || !this.line?.hold(!this.talk.held)) return;
    this.talk.held = !this.talk.held;
    this.keep();
  }

  digit(digit: string): void {
    if (this.talk?.state === 'talking') this.line?.digit(digit);
  }

  /** Another microphone was chosen. Who is not answered yet will be by that one. */
  async speak(): Promise<void> {
    if (!this.talk || !this.means || this.talk.state === 'ringing') return;
    const { headset } = this.means;
    await Promise.all([this.line, this.next].map((line) => line?.speakBy(headset.voice())));
  }

  async judge(): Promise<void> {
    const reports = await this.line?.statistics().catch(() => []);
    const network = read(reports ?? []);
    this.network = network && judge(network);
  }

  /** What a line reports counts while it is on the phone, or about to be. */
  private reports(self: () => Line): LineReports {
    const is = (line: Line | undefined) => self() === line;
    return {
      answered: () => {
        if (is(this.next)) this.takesPlace(self());
        else if (is(this.line)) this.answered();
      },
      over: (status) => {
        if (is(this.next)) this.notRenewed(status);
        else if (is(this.line) && !this.next) this.over();
      },
      lost: () => {
        if (is(this.line)) this.lost();
      },
      heard: () => {
        if (is(this.line)) this.listen(self());
      },
    };
  }

  private listen(line: Line): void {
    if (line.sound) this.means?.headset.ear.hear(line.sound);
  }

  private answered(): void {
    if (!this.talk || !this.line) return;
    this.talk.state = 'talking';
    this.dialog = this.line.dialog;
    this.keep();
  }

  private over(): void {
    this.clear();
    this.keep();
  }

  private clear(): void {
    clearTimeout(this.again);
    this.means?.headset.ringer.hush();
    this.means?.headset.ear.forget();
    this.line = this.next = undefined;
    this.talk = this.dialog = this.network = null;
  }

  private keep(): void {
    const { dialog, talk } = this;
    const { caller, muted, held } = talk ?? { caller: '', muted: false, held: false };
    kept.keepTalk(dialog && talk?.kind === 'call' ? { ...dialog, caller, muted, held } : null);
  }

  private lost(): void {
    // The server would go on saying back what nobody hears.
    if (this.talk?.kind !== 'call') {
      this.line?.hangUp();
      return;
    }
    this.talk.state = 'lost';
    if (this.registered) this.renew();
  }

  private renew(): void {
    const { means, dialog } = this;
    if (!means || !dialog || this.next) return;
    const voice = means.headset.voice();
    if (this.talk?.muted || this.talk?.held) voice.getAudioTracks().forEach((track) => (track.enabled = false));
    const session = means.agent.call(means.agent.uri, voice, replacing(dialog));
    const next: Line = Line.outgoing(session, voice, this.reports(() => next));
    this.next = next;
  }

  private takesPlace(next: Line): void {
    if (!this.talk) return;
    this.line?.drop();
    this.line = next;
    this.next = undefined;
    this.listen(next);
    if (this.talk.muted) next.mute(true);
    if (this.talk.held) next.beginHeld();
    this.answered();
  }

  private notRenewed(status: number): void {
    this.next = undefined;
    const then = afterRefusal(status);
    if (then === 'over') {
      this.line?.drop();
      this.over();
      return;
    }
    const again = () => {
      if (this.registered && this.talk?.state === 'lost') this.renew();
    };
    clearTimeout(this.again);
    this.again = setTimeout(again, then === 'soon' ? SOON_MS : LATER_MS);
  }
}
