// Whom a call may go to, by what somebody types: a name, an extension, or a number of their own.

import type { AgentState, Colleague, Names } from './types';

export interface Choice {
  to: string;
  /** Empty: a number that is nobody's here. */
  name: string;
  /** None: it is no person. */
  state: AgentState | null;
}

const NUMBER = /^\+?[\d(][\d\s().-]*$/;

/** By name: whoever comes free meanwhile takes no other's place under the finger. Oneself is not among them. */
export function choices(typed: string, colleagues: Colleague[], groups: Names['groups'], own: string): Choice[] {
  const wanted = typed.trim();
  const people = colleagues.filter((one) => one.id !== own);
  const known: Choice[] = [
    ...people.map((one) => ({ to: one.extension, name: one.name, state: one.state })),
    ...groups.map((one) => ({ to: one.id, name: one.name, state: null })),
  ];
  known.sort((one, other) => one.name.localeCompare(other.name) || one.to.localeCompare(other.to));
  const text = wanted.toLocaleLowerCase();
  const found = known.filter((one) => one.to.startsWith(wanted) || one.name.toLocaleLowerCase().includes(text));
  // Whose extension it is whole comes first.
  const exact = found.filter((one) => one.to === wanted);
  const others = found.filter((one) => one.to !== wanted);
  const free = exact.length === 0 && NUMBER.test(wanted) ? [{ to: wanted, name: '', state: null }] : [];
  return [...exact, ...others, ...free];
}
