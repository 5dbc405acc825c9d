// One's own picture, for all parts of the page that show it: one event stream, as long as anybody looks.

import { Picture } from './picture.svelte';

let picture: Picture | undefined;
let looking = 0;

/** Given back when it is no longer looked at. */
export function borrow(): Picture {
  looking += 1;
  picture ??= Picture.ofMine();
  return picture;
}

export function giveBack(): void {
  looking -= 1;
  if (looking > 0) return;
  picture?.end();
  picture = undefined;
}
