// What a page needs to be its person's phone: whose it is, a ticket for one WebSocket, ways through firewalls.

import { Refused, ask } from '../api';

export interface Account {
  /** For one connection, soon. */
  ticket: string;
  expires_in: number;
  /** The person's own address: `sip:101@acme.example`. */
  uri: string;
  login: string;
  display: string;
  /** Path of the WebSocket on this host. */
  ws: string;
  ice_servers: RTCIceServer[];
  /** Who says everything back. */
  echo: string;
}

const TRIES = 20;
const AGAIN_MS = 1000;

export const askForAccount = (): Promise<Account> => ask<Account>('/me/phone');

/** As `askForAccount`, while nobody answers, too: a talk may wait for a page that was loaded anew. */
export async function askPatiently(): Promise<Account> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await askForAccount();
    } catch (error) {
      const passing = error instanceof Refused && (error.status === 0 || error.status >= 500);
      if (!passing || tried === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
