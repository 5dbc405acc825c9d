// How loud anything may get in an ear, as numbers: a compressor that is steep enough to be a limiter, what it adds of itself
// taken back, and a clip at the top for the moment before it acts.

/** Above this, in decibels below full scale, hardly anything is let through. */
export const THRESHOLD = -18;
export const RATIO = 20;
/** Nothing is ever louder than this part of full scale. */
export const CEILING = 0.25;

/** What a DynamicsCompressorNode without a knee makes everything louder by (Web Audio, "makeup gain"), in decibels. */
export function makeup(threshold: number, ratio: number): number {
  const atFullScale = threshold - threshold / ratio;
  return -0.6 * atFullScale;
}

export function factor(decibels: number): number {
  return 10 ** (decibels / 20);
}

/** A WaveShaperNode's curve: straight up to the ceiling, flat beyond it. */
export function clip(ceiling: number, points = 2049): Float32Array<ArrayBuffer> {
  const middle = (points - 1) / 2;
  return Float32Array.from({ length: points }, (_, at) => Math.max(-ceiling, Math.min(ceiling, at / middle - 1)));
}
