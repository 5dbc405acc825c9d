// The cluster's picture: asked for again and again, kept when nobody answers, with what happened meanwhile.

import { Refused, get, post } from './api';
import { groupsOf, happened, learn, runs, sorted, type ClusterNode, type Happening, type Known } from './cluster';
import { problemOf } from './text';

/** Between an answer and the next question. */
const PAUSE_MS = 1000;
/** A node that was told to start may take this long before the button is offered again. */
const ORDERED_MS = 20_000;
/** Lines of what happened. */
const MOST = 14;

export type Act = 'kill' | 'revive';

export interface Event extends Happening {
  id: number;
  at: number;
}

export class Cluster {
  nodes = $state<ClusterNode[]>([]);
  loaded = $state(false);
  answered = $state(true);
  events = $state<Event[]>([]);
  problem = $state('');
  groups = $derived(groupsOf(this.nodes));
  private ordered = $state<Record<string, { act: Act; at: number }>>({});

  private known: Known | undefined;
  private count = 0;
  private next: ReturnType<typeof setTimeout> | undefined;
  private ended = false;

  /** `path` is the operator's, or the demo's. */
  constructor(private readonly path: '/cluster/nodes' | '/demo/nodes') {
    void this.ask();
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.next);
  }

  /** In a demo: kills a node or starts it again. */
  async act(node: string, act: Act): Promise<void> {
    this.problem = '';
    this.ordered[node] = { act, at: Date.now() };
    this.tell([{ word: `event.${act}`, values: { node } }]);
    try {
      await post(`/demo/nodes/${node}/${act}`);
    } catch (error) {
      // The node that was asked may be the one that was killed: the next picture tells.
      if (error instanceof Refused && error.status === 0) return;
      delete this.ordered[node];
      this.problem = problemOf(error);
    }
  }

  /** Whether a node is about to be what was ordered. */
  waits(node: ClusterNode): boolean {
    const order = this.ordered[node.name];
    return order !== undefined && (order.act === 'kill') === runs(node);
  }

  private async ask(): Promise<void> {
    try {
      this.show(await get<ClusterNode[]>(this.path));
    } catch {
      if (this.answered && this.loaded) this.tell([{ word: 'event.silence', values: {} }]);
      this.answered = false;
    }
    if (!this.ended) this.next = setTimeout(() => void this.ask(), PAUSE_MS);
  }

  private show(nodes: ClusterNode[]): void {
    if (!this.answered && this.loaded) this.tell([{ word: 'event.answers', values: {} }]);
    const now = learn(this.known, nodes);
    if (this.known) this.tell(happened(this.known, now));
    this.known = now;
    this.nodes = sorted(nodes);
    this.loaded = true;
    this.answered = true;
    this.forget(nodes);
  }

  /** Orders that were carried out, or never will be. */
  private forget(nodes: ClusterNode[]): void {
    for (const [name, order] of Object.entries(this.ordered)) {
      const node = nodes.find((one) => one.name === name);
      if (!node || !this.waits(node) || Date.now() - order.at > ORDERED_MS) delete this.ordered[name];
    }
  }

  private tell(what: Happening[]): void {
    const at = Date.now();
    const events = what.map((one) => ({ ...one, at, id: this.count++ }));
    this.events = [...events.reverse(), ...this.events].slice(0, MOST);
  }
}
