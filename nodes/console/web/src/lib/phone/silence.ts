// Whether the far end of a WebSocket is still there: browsers tell neither, nor let a page ping. Line breaks do (RFC 7118
// section 6): who hears nothing for a while asks, and who hears nothing after that has no connection. Without a clock: a page
// in the background may be asked late, and is not thrown off by that.

const QUIET_MS = 5000;
const PATIENCE_MS = 5000;

export class Silence {
  private asked: number | null = null;

  constructor(private last: number) {}

  heard(now: number): void {
    this.last = now;
    this.asked = null;
  }

  /** What is to be done now, if anything. */
  look(now: number): 'ask' | 'gone' | null {
    if (this.asked !== null) return now - this.asked >= PATIENCE_MS ? 'gone' : null;
    if (now - this.last < QUIET_MS) return null;
    this.asked = now;
    return 'ask';
  }
}
