// The phone in this page, above all its tabs: whether it is on, and whose; its sound, its place among the browser's tabs.

import { problemOf, sentence, t } from '../text';
import { Agent } from './agent';
import { Conversation } from './conversation.svelte';
import { devices } from './devices.svelte';
import type { KeptTalk } from './dialog';
import { Headset } from './headset';
import { kept } from './kept';
import { askForNotices } from './notice';
import { Seat } from './seat';
import { Speech } from './speech';

type Mode = 'off' | 'starting' | 'on' | 'elsewhere';

const LOOK_MS = 100;
/** Every so many looks the network is judged. */
const JUDGED = 20;

class Phone {
  readonly call = new Conversation();
  mode = $state<Mode>('off');
  registered = $state(false);
  problem = $state('');
  /** 0 to 1: the person, and what they hear. */
  voice = $state(0);
  sound = $state(0);
  /** The person speaks. */
  speaking = $state(false);
  /** The browser waits for a press before it lets anything be heard. */
  locked = $state(false);

  /** Whether a browser lets this page have a microphone at all. */
  readonly possible = window.isSecureContext && 'locks' in navigator && 'mediaDevices' in navigator;

  private owner = '';
  private agent: Agent | undefined;
  private headset: Headset | undefined;
  private seat: Seat | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;
  /** Counts what was turned off, so that what was about to be on then stays off. */
  private turns = 0;

  /** This person has the page now: goes on with their phone after a reload, and with nobody else's. */
  async welcome(owner: string): Promise<void> {
    if (this.mode !== 'off' && this.owner !== owner) this.leave();
    if (this.mode !== 'off') return;
    this.owner = owner;
    if (kept.owner() === owner && this.possible) await this.start(false);
    else kept.keepTalk(null);
  }

  /** `pressed`: a person did it, who may be asked for something. */
  async start(pressed = true): Promise<void> {
    if (pressed) askForNotices();
    await this.begin(async (seat) => ((await seat.take()) ? { talk: kept.talk() } : null));
  }

  /** From the tab that has it, with its talk. */
  async takeOver(): Promise<void> {
    askForNotices();
    await this.begin(async (seat) => ({ talk: await seat.takeOver() }));
  }

  /** Off: hangs up, and the person's other phones ring. */
  leave(): void {
    this.agent?.leave();
    this.end('off');
  }

  /** Nobody is logged in any more, and nobody would see who rings. A talk goes on; who logs in again has the phone again. */
  signedOut(): void {
    if (this.mode !== 'on' || this.call.talk) return;
    this.leave();
    kept.keepOwner(this.owner);
  }

  unlock(): void {
    this.headset?.unlock();
  }

  /** The card is on the screen. */
  ring(): void {
    this.headset?.ringer.ring();
  }

  hush(): void {
    this.headset?.ringer.hush();
  }

  /** Another headset or ringer was chosen. */
  useSpeakers(): void {
    this.headset?.useSpeakers();
  }

  /** Another microphone was chosen, or the present one is gone. */
  async useMicrophone(): Promise<void> {
    try {
      await this.headset?.change();
      await this.call.speak();
      this.problem = '';
    } catch (error) {
      this.problem = wrong(error);
    }
    await devices.look();
  }

  private async begin(sit: (seat: Seat) => Promise<{ talk: KeptTalk | null } | null>): Promise<void> {
    if (this.mode === 'starting' || this.mode === 'on') return;
    this.mode = 'starting';
    this.problem = '';
    const seat = (this.seat ??= new Seat({ give: () => this.give(), robbed: () => void this.give() }));
    const turn = this.turns;
    try {
      const seated = await sit(seat);
      if (turn !== this.turns) {
        seat.leave();
        return;
      }
      if (!seated) {
        this.mode = 'elsewhere';
        return;
      }
      kept.keepTalk(seated.talk);
      this.call.remember(seated.talk);
      await this.turnOn(turn);
    } catch (error) {
      // Turned off meanwhile, and on again perhaps: that is another's to say.
      if (turn !== this.turns) return;
      this.close();
      this.mode = 'off';
      this.problem = wrong(error);
    }
  }

  private async turnOn(turn: number): Promise<void> {
    const headset = await Headset.open();
    if (turn !== this.turns) {
      headset.close();
      return;
    }
    this.headset = headset;
    const agent = await Agent.start({
      registered: (is) => this.registers(is),
      refused: (cause) => (this.problem = sentence('phone.refused', { cause })),
      rung: (session, request) => this.call.rung(session, request),
    });
    if (turn !== this.turns) {
      agent.leave();
      return;
    }
    this.agent = agent;
    this.call.begin({ agent, headset });
    this.mode = 'on';
    kept.keepOwner(this.owner);
    navigator.mediaDevices.addEventListener('devicechange', this.plugged);
    this.watch(headset);
    await devices.look();
  }

  private watch(headset: Headset): void {
    const speech = new Speech();
    let looks = 0;
    this.looking = setInterval(() => {
      this.voice = headset.level();
      this.sound = headset.ear.level();
      this.speaking = speech.hear(this.voice, Date.now());
      this.locked = headset.locked;
      looks += 1;
      if (looks % JUDGED === 0) void this.call.judge();
    }, LOOK_MS);
  }

  private readonly plugged = (): void => {
    if (this.headset?.broken) void this.useMicrophone();
    else void devices.look();
  };

  private registers(is: boolean): void {
    this.registered = is;
    if (is) this.problem = '';
    this.call.registers(is);
  }

  /** Another tab goes on: nothing is hung up here. */
  private give(): KeptTalk | null {
    const talk = kept.talk();
    this.agent?.vanish();
    this.end('elsewhere');
    return talk;
  }

  private end(mode: Mode): void {
    this.close();
    kept.keepOwner(null);
    kept.keepTalk(null);
    this.mode = mode;
  }

  private close(): void {
    this.turns += 1;
    clearInterval(this.looking);
    navigator.mediaDevices?.removeEventListener('devicechange', this.plugged);
    this.call.drop();
    this.headset?.close();
    this.seat?.leave();
    this.agent = this.headset = undefined;
    this.registered = this.speaking = this.locked = false;
    this.voice = this.sound = 0;
  }
}

/** Why the phone is not on, in the reader's language. */
function wrong(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError') return t('phone.microphone.forbidden');
  return name === 'NotFoundError' || name === 'NotReadableError' ? t('phone.microphone.none') : problemOf(error);
}

export const phone = new Phone();
