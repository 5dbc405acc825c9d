// What the cluster's nodes tell, and what follows from it: pure, so that the page only shows it.

import type { Word } from './words';

export interface GroupTold {
  group: number;
  leads: boolean;
  term: number;
  voters: number[];
  changing: boolean;
}

export interface NodeTold {
  boot: number;
  uptime_ms: number;
  leads: number;
  replicas: number;
  groups: GroupTold[];
  trouble: string[];
  figures: Record<string, number>;
}

export interface ClusterNode {
  name: string;
  id: number;
  roles: string[];
  zone: string;
  address: string;
  version: string;
  alive: boolean;
  draining: boolean;
  /** It is about to end and be started again. */
  stopping?: boolean;
  replaced: boolean;
  planned: number;
  planned_leads: number;
  carries: string[];
  report: NodeTold | null;
}

export type NodeState = 'ready' | 'trouble' | 'silent' | 'draining' | 'lost' | 'replaced';

/** A group as its leader sees it; without one, as anybody does. */
export interface Group {
  group: number;
  leader: string | null;
  term: number;
  voters: string[];
  /** Who votes is about to change: the next node should not be stopped before. */
  changing: boolean;
}

/** A sentence: its word and what is put into it. */
export interface Happening {
  word: Word;
  values: Record<string, string>;
}

/** What was known last: who led each group, who carried each member's addresses, who was alive. */
export interface Known {
  alive: Map<string, boolean>;
  hosts: Map<string, string>;
  leaders: Map<number, string>;
}

const ROLES = ['control', 'console', 'edge', 'media'];

/** The worst of a node, as `mangrove nodes` tells it. */
export function stateOf(node: ClusterNode): NodeState {
  if (node.replaced) return 'replaced';
  if (!node.alive) return 'lost';
  if (node.draining || node.stopping) return 'draining';
  if (!node.report) return 'silent';
  return node.report.trouble.length > 0 ? 'trouble' : 'ready';
}

/** Without a majority nobody is declared lost: then silence is all there is to see. */
export const runs = (node: ClusterNode): boolean => node.alive && node.report !== null;

/** As people look for them. */
export function sorted(nodes: ClusterNode[]): ClusterNode[] {
  const roles = (node: ClusterNode) => ROLES.filter((role) => node.roles.includes(role));
  const ordered = nodes.map((node) => ({ ...node, roles: roles(node) }));
  return ordered.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** All groups in order. Of several who say that they lead one, the one in the latest term does. */
export function groupsOf(nodes: ClusterNode[]): Group[] {
  const name = (id: number) => nodes.find((node) => node.id === id)?.name ?? `#${id}`;
  const groups = new Map<number, Group>();
  for (const node of nodes) {
    for (const seen of node.report?.groups ?? []) {
      const known = groups.get(seen.group);
      const better = !known || (seen.leads && (known.leader === null || seen.term > known.term));
      if (!better) continue;
      const leader = seen.leads ? node.name : null;
      const { group, term, voters, changing } = seen;
      groups.set(group, { group, leader, term, voters: voters.map(name).sort(), changing });
    }
  }
  return [...groups.values()].sort((a, b) => a.group - b.group);
}

/** What is known after this picture; a group without a leader keeps the one it had. */
export function learn(before: Known | undefined, nodes: ClusterNode[]): Known {
  const led = groupsOf(nodes).flatMap((one): [number, string][] => (one.leader ? [[one.group, one.leader]] : []));
  const carried = nodes.flatMap((node) => node.carries.map((name): [string, string] => [name, node.name]));
  return {
    alive: new Map(nodes.map((node) => [node.name, node.alive])),
    hosts: new Map(carried),
    leaders: new Map([...(before?.leaders ?? []), ...led]),
  };
}

/** What happened between two pictures: losses first, then who took over. */
export function happened(before: Known, now: Known): Happening[] {
  const changed = [...now.alive].filter(([name, alive]) => before.alive.get(name) !== alive);
  const lives = changed.map(([node, alive]): Happening => ({ word: alive ? 'event.back' : 'event.lost', values: { node } }));
  const moved = [...now.hosts].filter(([name, host]) => before.hosts.has(name) && before.hosts.get(name) !== host);
  const moves = moved.map(([other, node]): Happening =>
    other === node ? { word: 'event.returned', values: { node } } : { word: 'event.carries', values: { node, other } },
  );
  return [...lives, ...leads(before, now), ...moves];
}

function leads(before: Known, now: Known): Happening[] {
  const taken = new Map<string, number[]>();
  for (const [group, leader] of now.leaders) {
    if (before.leaders.get(group) !== leader) taken.set(leader, [...(taken.get(leader) ?? []), group]);
  }
  return [...taken].map(([node, groups]) => ({
    word: groups.length > 1 ? 'event.leads' : 'event.lead',
    values: { node, groups: groups.join(', ') },
  }));
}
