// The SIP side of the phone: JsSIP, registered, connected again whenever the connection ends. JsSIP is fetched when a phone is
// wanted, not before.

import type { UA } from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { IncomingRequest, IncomingResponse } from 'jssip/lib/SIPMessage';
import type { RTCSessionEvent } from 'jssip/lib/UA';
import { askForAccount, askPatiently, type Account } from './account';
import { kept } from './kept';
import { TicketSocket } from './socket';

/** In seconds. A call whose page is away is kept for 30. */
const RECONNECT = { connection_recovery_min_interval: 1, connection_recovery_max_interval: 4 };
const AGAIN_MS = 3000;
const FORBIDDEN = 403;

export interface Reports {
  registered(is: boolean): void;
  /** The server takes no registration just now; asked again soon. */
  refused(cause: string): void;
  rung(session: RTCSession, request: IncomingRequest): void;
}

export class Agent {
  private ended = false;
  private again: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    private readonly ua: UA,
    private readonly socket: TicketSocket,
    private readonly account: () => Account,
    private readonly reports: Reports,
  ) {
    window.addEventListener('offline', this.offline);
    ua.on('registered', () => this.tell(true));
    ua.on('unregistered', () => this.tell(false));
    ua.on('disconnected', () => this.tell(false));
    ua.on('registrationFailed', ({ response, cause }) => this.failed(response as IncomingResponse | null, cause ?? ''));
    ua.on('newRTCSession', (event: RTCSessionEvent) => {
      if (!this.ended && String(event.originator) === 'remote') reports.rung(event.session, event.request as IncomingRequest);
    });
  }

  static async start(reports: Reports): Promise<Agent> {
    const [jssip, first] = await Promise.all([import('jssip'), askPatiently()]);
    let account = first;
    let fresh = true;
    const socket = new TicketSocket(first.ws, async () => {
      if (!fresh) account = await askForAccount();
      fresh = false;
      return account;
    });
    const ua = new jssip.UA({
      sockets: socket,
      uri: first.uri,
      authorization_user: first.login,
      // JsSIP puts it between quotes as it is.
      display_name: first.display.replace(/["\\]/g, ''),
      instance_id: kept.instance(),
      session_timers: false,
      ...RECONNECT,
    });
    const agent = new Agent(ua, socket, () => account, reports);
    ua.start();
    return agent;
  }

  get echo(): string {
    return this.account().echo;
  }

  /** One's own address: who takes up a talk of theirs calls themselves. */
  get uri(): string {
    return this.account().uri;
  }

  get connection(): RTCConfiguration {
    return { iceServers: this.account().ice_servers };
  }

  call(target: string, mediaStream: MediaStream, extraHeaders: string[] = []): RTCSession {
    return this.ua.call(target, { mediaStream, extraHeaders, pcConfig: this.connection });
  }

  /** Unregisters and hangs up. */
  leave(): void {
    this.end();
    this.ua.stop();
  }

  /** Says nothing to anybody: another page goes on. */
  vanish(): void {
    this.end();
    this.socket.disconnect();
    // Without a connection none of what JsSIP wants to say leaves.
    this.ua.stop();
  }

  private end(): void {
    this.ended = true;
    clearTimeout(this.again);
    window.removeEventListener('offline', this.offline);
  }

  private readonly offline = (): void => this.socket.lose('the network is gone');

  private tell(registered: boolean): void {
    if (!this.ended) this.reports.registered(registered);
  }

  /** Without a connection JsSIP registers by itself when it has one again. */
  private failed(response: IncomingResponse | null, cause: string): void {
    if (this.ended || !this.ua.isConnected()) return;
    this.reports.refused(cause);
    clearTimeout(this.again);
    this.again = setTimeout(() => {
      // What the connection's ticket says of the person holds no more (another password): a new one has a new ticket.
      if (response?.status_code === FORBIDDEN) this.socket.lose('the ticket is too old');
      else if (this.ua.isConnected()) this.ua.register();
    }, AGAIN_MS);
  }
}
