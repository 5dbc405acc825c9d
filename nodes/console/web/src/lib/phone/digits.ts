// The keys of a phone on the keys of a computer.

export const DIGITS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

/** The digit that a key says, by what is written on it; a Russian keyboard has № in the place of #. */
export function digitOf(key: string): string | null {
  const digit = key === '№' ? '#' : key;
  return DIGITS.includes(digit) ? digit : null;
}
