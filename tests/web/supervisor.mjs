// The supervisor's page through one call: somebody waits and the waiting time runs, an agent answers and turns busy,
// the call ends and becomes a record.

import { changes, check, counts, logIn, picture, saw } from './browser.mjs';

const WAITING = '[data-testid=waiting-row]';
const CALL = '[data-testid=call-row]';
const anna = (state) => `[data-testid=agent-row][data-agent=anna][data-state=${state}]`;

await check(async (page) => {
  await logIn(page, 'vera@acme.example', 'vera-web-password');
  await page.locator(anna('break')).waitFor();
  await counts(page, CALL, 0);
  await counts(page, WAITING, 0);
  saw('a quiet floor');

  await page.locator(WAITING).waitFor();
  const [before, after] = await changes(page, `${WAITING} [data-testid=waiting-time]`);
  await page.locator(`${CALL}[data-state=waiting]`).waitFor();
  saw(`waiting ${before}, then ${after}`);
  await picture(page, 'supervisor-waiting');

  await page.locator(anna('busy')).waitFor();
  await page.locator(`${CALL}[data-state=talking]`).waitFor();
  await counts(page, WAITING, 0);
  await picture(page, 'supervisor-talking');
  saw('talking');

  await counts(page, CALL, 0);
  await counts(page, WAITING, 0);
  await page.locator('[data-testid=cdr-row][data-outcome=answered]').waitFor();
  await page.locator(anna('available')).waitFor();
  await picture(page, 'supervisor-record');
  saw('recorded');
});
