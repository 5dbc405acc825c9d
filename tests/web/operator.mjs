// The operator's page of a cluster: the administrator's token lets in, a wrong one does not, and nothing of the demo is
// there.

import { check, counts, saw } from './browser.mjs';

await check(async (page) => {
  await page.goto(process.env.MANGROVE_URL);
  await page.getByTestId('login-operator').click();
  await page.getByTestId('login-password').fill('guessed');
  await page.getByTestId('login-submit').click();
  await page.getByTestId('login-problem').getByText('The token is wrong.').waitFor();
  saw('a wrong token refused');

  await page.getByTestId('login-password').fill(process.env.MANGROVE_TOKEN);
  await page.getByTestId('login-submit').click();
  await page.locator('[data-testid=node-row][data-node=a][data-state=ready]').waitFor();
  await page.locator('[data-testid=group-row][data-leader=a]').first().waitFor();
  await counts(page, 'nav a', 1);
  await counts(page, '[data-testid=kill]', 0);
  await page.reload();
  await page.getByTestId('cluster').waitFor();
  saw('the cluster');

  await page.getByTestId('logout').click();
  await page.getByTestId('login').waitFor();
  await page.reload();
  await page.getByTestId('login').waitFor();
  saw('gone');
});
