// The live picture: read once, then kept up to date by the event stream, resumed after every interruption.

import { address, get, own } from './api';
import { clock } from './clock.svelte';
import { names } from './names.svelte';
import type { Agent, Call, Live, Own, Queue, Today } from './types';

interface Start {
  name: string;
  event: number;
  as_of: number;
  queues: Queue[];
  agents: Agent[];
  calls: Call[];
}

type Gone = { id: string; gone: true };

const NOTHING: Today = {
  offered: 0,
  answered: 0,
  answered_in_time: 0,
  abandoned: 0,
  overflowed: 0,
  wait_ms: 0,
  talk_ms: 0,
};

/** How long to wait before the whole picture is read again. */
const PATIENCE_MS = 1000;

export class Picture {
  loaded = $state(false);
  connected = $state(false);
  name = $state('');
  queues = $state<Queue[]>([]);
  agents = $state<Agent[]>([]);
  calls = $state<Call[]>([]);
  today = $derived(this.queues.map((queue) => queue.today).reduce(add, NOTHING));
  waiting = $derived(this.queues.reduce((sum, queue) => sum + queue.waiting.length, 0));

  private source: EventSource | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private ended = false;
  private version: number | undefined;

  constructor(private readonly read: () => Promise<Start>) {
    void this.start();
  }

  static ofTenant(): Picture {
    return new Picture(() => get<Live>(own('/live')));
  }

  static ofMine(): Picture {
    return new Picture(async () => {
      const mine = await get<Own>(own('/agents/me'));
      return { ...mine, name: '', queues: [], agents: mine.agent ? [mine.agent] : [] };
    });
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.again);
    this.source?.close();
  }

  private async start(): Promise<void> {
    this.source?.close();
    try {
      const start = await this.read();
      if (this.ended) return;
      clock.set(start.as_of);
      this.name = start.name;
      this.queues = start.queues;
      this.agents = start.agents;
      this.calls = start.calls;
      this.loaded = true;
      this.follow(start.event);
    } catch {
      this.connected = false;
      this.startLater();
    }
  }

  private startLater(): void {
    if (this.ended) return;
    clearTimeout(this.again);
    this.again = setTimeout(() => void this.start(), PATIENCE_MS);
  }

  private follow(after: number): void {
    const source = new EventSource(address(own(`/events?after=${after}`)));
    this.source = source;
    source.onopen = () => (this.connected = true);
    source.onerror = () => {
      this.connected = false;
      // Interrupted streams are resumed by the browser; refused ones (too old, signed out) are not.
      if (source.readyState === EventSource.CLOSED) this.startLater();
    };
    source.addEventListener('call', (event) => (this.calls = put(this.calls, parse<Call>(event))));
    source.addEventListener('agent', (event) => (this.agents = put(this.agents, parse<Agent>(event))));
    source.addEventListener('queue', (event) => (this.queues = put(this.queues, parse<Queue>(event))));
    source.addEventListener('config', (event: MessageEvent<string>) => this.reconfigured(event));
  }

  /** Names, members and queues may all be others now. */
  private reconfigured(event: MessageEvent<string>): void {
    const { version } = JSON.parse(event.data) as { version: number };
    if (version === this.version) return;
    this.version = version;
    void names.load();
    this.startLater();
  }
}

function parse<T>(event: MessageEvent<string>): T | Gone {
  return JSON.parse(event.data) as T | Gone;
}

/** The list with the object in its place, at the end when it is new, or out. */
function put<T extends { id: string }>(list: T[], changed: T | Gone): T[] {
  if ('gone' in changed) return list.filter((item) => item.id !== changed.id);
  return list.some((item) => item.id === changed.id)
    ? list.map((item) => (item.id === changed.id ? changed : item))
    : [...list, changed];
}

function add(a: Today, b: Today): Today {
  return {
    offered: a.offered + b.offered,
    answered: a.answered + b.answered,
    answered_in_time: a.answered_in_time + b.answered_in_time,
    abandoned: a.abandoned + b.abandoned,
    overflowed: a.overflowed + b.overflowed,
    wait_ms: a.wait_ms + b.wait_ms,
    talk_ms: a.talk_ms + b.talk_ms,
  };
}
