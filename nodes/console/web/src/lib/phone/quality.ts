// How good the way to the server is, by what a talk's own statistics say.

export interface Network {
  /** There and back. */
  rtt_ms: number;
  jitter_ms: number;
  /** 0 to 1, of what should have come. */
  loss: number;
}

export type Verdict = 'good' | 'fair' | 'bad';

/** By what people notice: from 150 ms one way they interrupt each other, from some per cent of loss words are missing. */
export function judge(network: Network): Verdict {
  if (network.rtt_ms > 400 || network.jitter_ms > 60 || network.loss > 0.05) return 'bad';
  return network.rtt_ms > 200 || network.jitter_ms > 30 || network.loss > 0.01 ? 'fair' : 'good';
}

type Figures = Record<string, unknown>;

const number = (figures: Figures | undefined, name: string): number => {
  const value = figures?.[name];
  return typeof value === 'number' ? value : 0;
};

/** Null as long as nothing has come. */
export function read(reports: Iterable<Figures>): Network | null {
  const all = [...reports];
  const heard = all.find((one) => one['type'] === 'inbound-rtp' && one['kind'] === 'audio');
  const way = all.find((one) => one['type'] === 'candidate-pair' && one['nominated'] === true);
  const received = number(heard, 'packetsReceived');
  if (received === 0) return null;
  const lost = Math.max(0, number(heard, 'packetsLost'));
  return {
    rtt_ms: 1000 * number(way, 'currentRoundTripTime'),
    jitter_ms: 1000 * number(heard, 'jitter'),
    loss: lost / (lost + received),
  };
}
