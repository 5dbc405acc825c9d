// JsSIP's way to the server: its own WebSocket class offers no other sub-protocol than `sip`, and a page proves itself by a
// ticket there, a fresh one for each connection. JsSIP connects again by itself.

import type { Socket } from 'jssip';
import type { Account } from './account';
import { Silence } from './silence';

/** How often the connection is looked after. */
const LOOK_MS = 1000;
const ASK = '\r\n\r\n';
/** As a browser says of a connection that nobody closed. */
const ABNORMAL = 1006;

export class TicketSocket implements Socket {
  readonly url: string;
  readonly sip_uri: string;
  via_transport: string;

  private socket: WebSocket | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;
  /** The newest attempt; what belongs to an older one is not heard any more. */
  private attempt = 0;
  private asking = false;

  /** `path` is on this page's host. `account` gives a ticket for each connection. */
  constructor(
    path: string,
    private readonly account: () => Promise<Account>,
  ) {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    this.url = url.href;
    this.sip_uri = `sip:${url.host};transport=ws`;
    this.via_transport = url.protocol === 'wss:' ? 'WSS' : 'WS';
  }

  // JsSIP puts its own in the place of these three.
  onconnect(): void {}
  ondisconnect(_error: boolean, _code?: number, _reason?: string): void {}
  ondata<T>(_data: T): void {}

  connect(): void {
    if (this.isConnected() || this.isConnecting()) return;
    this.asking = true;
    void this.open(++this.attempt);
  }

  disconnect(): void {
    this.attempt += 1;
    this.asking = false;
    clearInterval(this.looking);
    const socket = this.socket;
    this.socket = undefined;
    socket?.close();
  }

  /** The network is gone: nothing that was sent arrives, and the browser will notice in minutes only. */
  lose(reason: string): void {
    if (this.socket === undefined) return;
    this.disconnect();
    this.ondisconnect(true, ABNORMAL, reason);
  }

  send(message: string | ArrayBufferLike | Blob | ArrayBufferView): boolean {
    if (!this.isConnected()) return false;
    this.socket?.send(message as string);
    return true;
  }

  isConnected(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  isConnecting(): boolean {
    return this.asking || this.socket?.readyState === WebSocket.CONNECTING;
  }

  private async open(attempt: number): Promise<void> {
    let ticket: string;
    try {
      ticket = (await this.account()).ticket;
    } catch {
      if (attempt !== this.attempt) return;
      this.asking = false;
      this.ondisconnect(true, ABNORMAL, 'no ticket');
      return;
    }
    if (attempt !== this.attempt) return;
    this.asking = false;
    this.follow(new WebSocket(this.url, ['sip', `ticket.${ticket}`]), attempt);
  }

  private follow(socket: WebSocket, attempt: number): void {
    const silence = new Silence(Date.now());
    const current = () => attempt === this.attempt;
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      if (!current()) return;
      silence.heard(Date.now());
      this.looking = setInterval(() => this.look(silence), LOOK_MS);
      this.onconnect();
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (!current()) return;
      silence.heard(Date.now());
      this.ondata(data);
    };
    socket.onclose = ({ wasClean, code, reason }) => {
      if (!current()) return;
      clearInterval(this.looking);
      this.socket = undefined;
      this.ondisconnect(!wasClean, code, reason);
    };
  }

  private look(silence: Silence): void {
    const due = silence.look(Date.now());
    if (due === 'ask') this.send(ASK);
    else if (due === 'gone') this.lose('the server says nothing');
  }
}
