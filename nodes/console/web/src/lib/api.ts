// Talks to the API of this very server, with the session's cookie.

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly action: string,
  ) {
    super(message);
  }
}

const BASE = '/api/v1';

/** Below the login's own tenant. */
export const own = (path: string): string => `/tenants/-${path}`;

export const address = (path: string): string => BASE + path;

let signedOut: () => void = () => {};

/** What to do when the server no longer knows the session. */
export function onSignedOut(then: () => void): void {
  signedOut = then;
}

/** The administrator's token, for as long as the tab is open. Only what needs no event stream works with it. */
let token = kept();

function kept(): string {
  try {
    return sessionStorage.getItem('token') ?? '';
  } catch {
    return '';
  }
}

/** Uses a token from now on instead of the session's cookie; an empty one ends that. */
export function use(given: string): void {
  token = given;
  try {
    sessionStorage.setItem('token', given);
  } catch {
    // Private windows may forbid it: the token then lasts as long as the page.
  }
}

async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token) headers['authorization'] = `Bearer ${token}`;
  const init: RequestInit = { method, credentials: 'same-origin', headers };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    headers['content-type'] = 'application/json';
  }
  let response: Response;
  try {
    response = await fetch(address(path), init);
  } catch {
    throw new Refused(0, 'offline', 'the server does not answer', 'wait a moment');
  }
  if (response.ok) return response;
  const text = (await response.json().catch(() => ({}))) as Partial<Record<'error' | 'message' | 'action', string>>;
  if (response.status === 401 && path !== '/login') signedOut();
  throw new Refused(response.status, text.error ?? 'unknown', text.message ?? response.statusText, text.action ?? '');
}

export async function get<T>(path: string): Promise<T> {
  return (await (await send('GET', path)).json()) as T;
}

export async function post(path: string, body: unknown = {}): Promise<void> {
  await send('POST', path, body);
}

/** As `post`, for what is answered. */
export async function ask<T>(path: string, body: unknown = {}): Promise<T> {
  return (await (await send('POST', path, body)).json()) as T;
}

export async function put(path: string): Promise<void> {
  await send('PUT', path);
}

export async function remove(path: string): Promise<void> {
  await send('DELETE', path);
}

/** Who this page is among those who ask for something. */
const asker = Number(crypto.getRandomValues(new Uint32Array(1))[0]) + 1;
let asked = 0;

/** Goes with a wish: one that arrives late is not granted after a newer one of this page. */
export const numbered = (): { asker: number; number: number } => ({ asker, number: ++asked });
