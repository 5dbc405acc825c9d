// The names of a SIP dialog: all that is needed to go on in a call by another dialog (RFC 3891). Nothing here knows a browser.

export interface Dialog {
  call: string;
  /** This page's tag. */
  ours: string;
  /** The server's. */
  theirs: string;
}

/** Headers of an INVITE that takes the dialog's place: the tags are named as the server sees them. */
export function replacing(dialog: Dialog): string[] {
  return [`Replaces: ${dialog.call};to-tag=${dialog.theirs};from-tag=${dialog.ours}`, 'Require: replaces'];
}

/** A talk as a page that comes after this one must know it. */
export interface KeptTalk extends Dialog {
  /** As it was signalled. */
  caller: string;
  /** Nobody is heard after a reload who was not before. */
  muted: boolean;
  /** Nor is anybody heard by whom they hold. */
  held: boolean;
}

/** A talk as it was written down, or null where that is none. */
export function readTalk(text: string | null): KeptTalk | null {
  try {
    const read = JSON.parse(text ?? 'null') as Partial<Record<keyof KeptTalk, unknown>> | null;
    const names = [read?.call, read?.ours, read?.theirs];
    if (!names.every((name) => typeof name === 'string' && /^[^\s;,]+$/.test(name))) return null;
    const [call, ours, theirs] = names as [string, string, string];
    const caller = typeof read?.caller === 'string' ? read.caller : '';
    return { call, ours, theirs, caller, muted: read?.muted === true, held: read?.held === true };
  } catch {
    return null;
  }
}

/** What to do when an INVITE that was to take a dialog's place has failed with this status; 0: the connection did. */
export function afterRefusal(status: number): 'over' | 'soon' | 'when-registered' {
  if (status === 491) return 'soon';
  return status === 0 || status === 408 || (status >= 500 && status < 600) ? 'when-registered' : 'over';
}
