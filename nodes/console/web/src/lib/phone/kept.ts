// What outlives a reload of this tab, and no other tab sees: that the phone is on, whose it is, and its talk.

import { readTalk, type KeptTalk } from './dialog';

const OWNER = 'phone';
const INSTANCE = 'phone.instance';
const TALK = 'phone.talk';

function read(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, text: string | null): void {
  try {
    if (text === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  } catch {
    // Private windows may forbid it: a reload then ends the talk.
  }
}

/** Who this phone is to the registrar (RFC 5626): after a reload the former page's binding gives room at once. */
function instance(): string {
  const known = read(INSTANCE) ?? crypto.randomUUID();
  write(INSTANCE, known);
  return known;
}

export const kept = {
  instance,
  owner: (): string | null => read(OWNER),
  keepOwner: (owner: string | null): void => write(OWNER, owner),
  talk: (): KeptTalk | null => readTalk(read(TALK)),
  keepTalk: (talk: KeptTalk | null): void => write(TALK, talk && JSON.stringify(talk)),
};
