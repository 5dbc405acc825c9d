// A word on the desktop when the page is not in sight. A press on it answers.

/** Asks once, at the press of a button; nobody waits for the answer. */
export function askForNotices(): void {
  if ('Notification' in window && Notification.permission === 'default') void Notification.requestPermission();
}

/** Shows it unless the page is being looked at; returns how to take it back. */
export function notify(title: string, body: string, pressed: () => void): () => void {
  const allowed = 'Notification' in window && Notification.permission === 'granted';
  if (!allowed || document.hasFocus()) return () => {};
  const notice = new Notification(title, { body, tag: 'mangrove-offer', requireInteraction: true });
  notice.onclick = () => {
    window.focus();
    notice.close();
    pressed();
  };
  return () => notice.close();
}
