// Single keys do things where nobody is typing.

/** A box to tick takes no letters. */
const FIELDS = 'input:not([type=checkbox]), select, textarea, [contenteditable]';

export function typing(event: KeyboardEvent): boolean {
  const target = event.target;
  const field = target instanceof HTMLElement && target.closest(FIELDS) !== null;
  return field || event.ctrlKey || event.altKey || event.metaKey;
}

/** The same key whatever the keyboard's language: `KeyA` gives `a`, `Digit1` gives `1`. */
export function key(event: KeyboardEvent): string {
  const physical = /^(?:Key|Digit)(.)$/.exec(event.code);
  return physical?.[1]?.toLowerCase() ?? event.key;
}
