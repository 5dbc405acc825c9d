// One clock for all running times, set by the server: a wrong clock in the browser does no harm.

class Clock {
  now = $state(Date.now());
  private ahead = 0;

  constructor() {
    setInterval(() => this.tick(), 500);
  }

  /** `as_of` of a picture that just came. */
  set(serverNow: number): void {
    this.ahead = serverNow - Date.now();
    this.tick();
  }

  private tick(): void {
    this.now = Date.now() + this.ahead;
  }
}

export const clock = new Clock();
