// The agent's page through a customer's call and a colleague's: whom one talks to, what becomes of it in the history,
// states by keys.

import { check, logIn, picture, saw } from './browser.mjs';

const mine = (state) => `[data-testid=my-state][data-state=${state}]`;
const CALL = '[data-testid=present-call][data-state=talking]';

await check(async (page) => {
  await logIn(page, 'anna@acme.example', 'anna-web-password');
  await page.locator(mine('available')).waitFor();
  await page.getByTestId('no-call').waitFor();
  saw('no call');

  const call = page.locator(CALL);
  await call.getByText('7 916 111-22-33').waitFor();
  await call.getByText('Sales').waitFor();
  await page.locator(mine('busy')).waitFor();
  await picture(page, 'agent-call');
  saw('a customer');

  await page.getByTestId('no-call').waitFor();
  const row = page.locator('[data-testid=cdr-row][data-outcome=answered]');
  await row.filter({ hasText: '7 916 111-22-33' }).filter({ hasText: 'Anna Petrova' }).waitFor();
  saw('in the history');

  await page.locator(mine('available')).waitFor();
  await page.keyboard.press('b');
  await page.keyboard.press('2');
  await page.locator(mine('break')).getByText('lunch').first().waitFor();
  saw('lunch by key');

  await page.locator(CALL).getByTestId('counterpart').getByText('Boris Ivanov').waitFor();
  await picture(page, 'agent-colleague');
  saw('a colleague');
  await page.getByTestId('no-call').waitFor();
});
