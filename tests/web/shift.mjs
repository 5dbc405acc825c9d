// An agent's shift with the phone in the page: what the checks of it have in common. The microphone says a tone.

import { logIn, saw } from './browser.mjs';

export const TALK = '[data-testid=phone-talk][data-state=talking]';
export const SOUND = '[data-testid=ear][data-sound=true]';

/** Logs Anna in, turns her phone on and takes calls. */
export async function startShift(page) {
  await logIn(page, 'anna@acme.example', 'anna-web-password');
  await page.getByTestId('phone-start').click();
  await page.locator('[data-testid=phone][data-mode=on][data-registered=true]').waitFor();
  // Whoever takes out noise takes out a tone.
  await page.getByTestId('processed').uncheck();
  saw('registered');
  await page.keyboard.press('a');
  await page.locator('[data-testid=my-state][data-state=available]').waitFor();
  saw('available');
}

/** Takes the customer's call by key. */
export async function answer(page) {
  await page.getByTestId('offer').getByText('7 916 111-22-33').waitFor();
  await page.getByTestId('offer-answer').waitFor();
  saw('the card');
  await page.keyboard.press('q');
  await page.locator(TALK).waitFor();
  await page.locator(SOUND).waitFor();
  saw('hears the customer');
}

/** Waits until the customer has hung up. */
export async function isOver(page) {
  await page.getByTestId('phone-talk').waitFor({ state: 'detached' });
  saw('hung up');
}
