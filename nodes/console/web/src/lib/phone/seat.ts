// One tab of a browser has the phone: two would ring at once and hear each other. A lock says which; a tab that takes over
// asks the other for its talk first, and takes the lock from one that does not answer.

import type { KeptTalk } from './dialog';

const NAME = 'mangrove-phone';
/** A page that is loaded anew may find the lock with the page that it was. */
const PATIENCE_MS = 1500;
const GIVING_MS = 1000;

type Word = { say: 'give' } | { say: 'given'; talk: KeptTalk | null };

export interface Holder {
  /** Leaves the seat to another tab: nothing is hung up. What the other goes on with. */
  give(): KeptTalk | null;
  /** It was taken without a word. */
  robbed(): void;
}

export class Seat {
  private readonly channel = new BroadcastChannel(NAME);
  private free: (() => void) | undefined;
  private given: ((talk: KeptTalk | null) => void) | undefined;

  constructor(private readonly holder: Holder) {
    this.channel.onmessage = ({ data }: MessageEvent<Word>) => this.hear(data);
  }

  /** False: another tab has it. */
  take(): Promise<boolean> {
    return this.lock({ signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  /** From whichever tab has it; its talk. */
  async takeOver(): Promise<KeptTalk | null> {
    const talk = await new Promise<KeptTalk | null>((resolve) => {
      this.given = resolve;
      setTimeout(() => resolve(null), GIVING_MS);
      this.say({ say: 'give' });
    });
    this.given = undefined;
    if (!(await this.take())) await this.lock({ steal: true });
    return talk;
  }

  leave(): void {
    this.free?.();
    this.free = undefined;
  }

  private say(word: Word): void {
    this.channel.postMessage(word);
  }

  private hear(word: Word): void {
    if (word.say === 'given') this.given?.(word.talk);
    else if (this.free) {
      this.say({ say: 'given', talk: this.holder.give() });
      this.leave();
    }
  }

  private lock(options: LockOptions): Promise<boolean> {
    return new Promise((resolve) => {
      let granted = false;
      const hold = () => {
        granted = true;
        resolve(true);
        return new Promise<void>((free) => (this.free = free));
      };
      navigator.locks.request(NAME, options, hold).catch(() => {
        if (granted) this.robbed();
        else resolve(false);
      });
    });
  }

  private robbed(): void {
    this.free = undefined;
    this.holder.robbed();
  }
}
