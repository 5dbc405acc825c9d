// Shapes of the HTTP API, as /api/v1/openapi.json describes them. Times are Unix milliseconds.

export type AgentState = 'available' | 'ringing' | 'busy' | 'wrap-up' | 'break' | 'offline';
export type CallState = 'arriving' | 'playing' | 'waiting' | 'ringing' | 'talking' | 'held' | 'voicemail' | 'ending';
export type Direction = 'inbound' | 'outbound' | 'internal';
export type Outcome =
  | 'answered'
  | 'abandoned'
  | 'no-answer'
  | 'busy'
  | 'rejected'
  | 'unreachable'
  | 'voicemail'
  | 'completed'
  | 'failed';

export interface Today {
  offered: number;
  answered: number;
  answered_in_time: number;
  abandoned: number;
  overflowed: number;
  wait_ms: number;
  talk_ms: number;
}

export interface Waiting {
  call: string;
  caller: string;
  priority: number;
  since: number;
  offered_to: string[];
}

export interface Queue {
  id: string;
  name: string;
  waiting: Waiting[];
  service_level: { seconds: number; percent: number };
  today: Today;
}

export interface Agent {
  id: string;
  name: string;
  extension: string;
  state: AgentState;
  reason: string | null;
  since: number;
  /** When a wrap-up ends by itself. */
  until?: number;
  call: string | null;
  groups: string[];
  reachable: boolean;
  answered_today: number;
}

export type MonitorMode = 'listen' | 'whisper' | 'barge' | 'take-over';

export interface Monitor {
  employee: string;
  mode: MonitorMode;
  since: number;
  answered: boolean;
  shown: boolean;
}

export interface Call {
  id: string;
  direction: Direction;
  caller: string;
  called: string;
  state: CallState;
  started: number;
  since: number;
  group: string | null;
  employee: string | null;
  ringing: string[];
  recording: boolean;
  /** Whether the recording is to be paused, and whether nothing is kept already. */
  pause?: 'asked' | 'confirmed';
  /** Whether those who talk may begin and end a recording. */
  on_demand?: boolean;
  /** Nodes of earlier builds don't say it. */
  monitors?: Monitor[];
  /** The guest's place in a conference. */
  conference?: Seat;
}

/** Somebody's place in a conference. */
export interface Seat {
  name: string;
  since: number;
  /** They hear and are not heard. */
  muted: boolean;
  moderator: boolean;
  /** They hear music until a moderator is there. */
  waits: boolean;
  /** Nobody else comes in. */
  locked: boolean;
}

export interface Live {
  tenant: string;
  name: string;
  event: number;
  as_of: number;
  queues: Queue[];
  agents: Agent[];
  calls: Call[];
  today: Today;
}

export interface Own {
  agent: Agent | null;
  calls: Call[];
  event: number;
  as_of: number;
}

export interface Names {
  groups: { id: string; name: string }[];
  employees: { id: string; extension: string; name: string }[];
}

/** A colleague as everybody may see them; `offline`, too, who has no phone. */
export interface Colleague {
  id: string;
  name: string;
  extension: string;
  state: AgentState;
}

/** What happened in a recording, by its place in it; without an end it took no time. */
export interface Mark {
  kind: 'pause' | 'hold' | 'transfer';
  at_ms: number;
  until_ms?: number;
}

export interface Recording {
  id: string;
  duration_ms: number;
  bytes: number;
  missing_ms: number;
  marks?: Mark[];
  /** WAV where nothing is said. */
  format?: 'opus';
  /** The caller left, the agent right where nothing is said. */
  channels?: 'mixed';
}

export interface Cdr {
  call: string;
  direction: Direction;
  caller: string;
  called: string;
  source: string | null;
  started: number;
  answered: number | null;
  ended: number;
  wait_ms: number;
  talk_ms: number;
  hold_ms: number;
  group: string | null;
  employee: string | null;
  outcome: Outcome;
  cause: string;
  recordings: Recording[];
}

export interface Message {
  id: number;
  call: string;
  caller: string;
  at: number;
  duration_ms: number;
  heard: boolean;
  /** Its sound is not on its way any more. */
  stored: boolean;
}

/** A box for messages, of an employee or a group. */
export interface Mailbox {
  name: string;
  employee: string | null;
  group: string | null;
  messages: Message[];
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface StoryEntry {
  at: number;
  after_ms: number;
  kind: 'received' | 'sent' | 'decision' | 'media';
  party: string;
  title: string;
  detail: string;
}

export interface Me {
  tenant: string;
  employee: string;
  name: string;
  email: string;
  roles: string[];
  rights: string[];
}
