// Who is who in the company: names for the ids and extensions that calls and records carry.

import { get, own } from './api';
import { phone } from './text';
import type { Call, Names } from './types';

class Who {
  private known = $state.raw<Names>({ groups: [], employees: [] });

  /** Reads all names again. Without them ids are shown, which does no harm. */
  async load(): Promise<void> {
    try {
      this.known = await get<Names>(own('/names'));
    } catch {
      // Whoever may not read calls has no use for names.
    }
  }

  get groups(): Names['groups'] {
    return this.known.groups;
  }

  group(id: string | null): string {
    return this.known.groups.find((group) => group.id === id)?.name ?? id ?? '';
  }

  employee(id: string | null): string {
    return this.known.employees.find((one) => one.id === id)?.name ?? id ?? '';
  }

  /** A colleague's or a group's name by its extension, or an outside number for eyes. */
  party(number: string): string {
    const colleague = this.known.employees.find((one) => one.extension === number);
    const group = this.known.groups.find((one) => one.id === number);
    return colleague?.name ?? group?.name ?? phone(number);
  }

  /** Whom an employee talks to: in a call among colleagues the other one, else the customer. */
  counterpart(call: Call, employee: string): string {
    const extension = this.known.employees.find((one) => one.id === employee)?.extension;
    const calls = call.direction === 'outbound' || (call.direction === 'internal' && call.caller === extension);
    return this.party(calls ? call.called : call.caller);
  }
}

export const names = new Who();
