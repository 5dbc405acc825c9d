// The agent's page: a press on the break button takes a break with its reason; what somebody else changes shows by
// itself.

import { check, logIn, picture, saw } from './browser.mjs';

const mine = (state) => `[data-testid=my-state][data-state=${state}]`;

await check(async (page) => {
  await logIn(page, 'anna@acme.example', 'anna-web-password');
  await page.locator(mine('available')).waitFor();
  await page.getByTestId('no-call').waitFor();
  await page.getByTestId('state-break').click();
  await page.getByTestId('reason-lunch').click();
  await page.locator(mine('break')).waitFor();
  await picture(page, 'agent-break');
  saw('on a break');

  await page.locator(mine('available')).waitFor();
  saw('available again');
});
