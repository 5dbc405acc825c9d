// The demo's page of the cluster: three nodes, each but one killed by its button and started again. Whoever talked when a
// node died talks on, and the page says what happened, also when the node that served it is the one that died.

import { check, counts, logIn, picture, saw } from './browser.mjs';

/** A talk of the demo lasts eight seconds at least: one that just began is still there when the death is known. */
const YOUNG_MS = 2000;

const row = (node, state) => `[data-testid=node-row][data-node=${node}][data-state=${state}]`;
const event = (word, text) => `[data-testid=cluster-event][data-event="${word}"]:has-text("${text}")`;

/** The calls in talk, as any living node shows them; none while nobody answers. */
async function talks(page) {
  return page.evaluate(async () => {
    const answer = await fetch('/api/v1/tenants/-/live').catch(() => null);
    if (!answer?.ok) return null;
    const live = await answer.json();
    return live.calls.filter((call) => call.state === 'talking').map((call) => ({ id: call.id, age: live.as_of - call.since }));
  });
}

/** Asks again until `look` finds something. */
async function until(page, what, look) {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const found = await look((await talks(page)) ?? []);
    if (found) return found;
    await page.waitForTimeout(100);
  }
  throw new Error(`waited in vain: ${what}`);
}

async function loses(page, node, heirs) {
  const young = await until(page, 'a talk that just began', (all) => all.find((call) => call.age < YOUNG_MS));
  await page.locator(`${row(node, 'ready')} [data-testid=kill]`).click();
  await page.locator(row(node, 'lost')).waitFor();
  await until(page, `call ${young.id} to talk on`, (all) => all.some((call) => call.id === young.id && call.age >= young.age));
  await page.locator(event('event.lost', `${node} is lost`)).first().waitFor();
  await page.locator(event('event.carries', `carries ${node}’s addresses`)).first().waitFor();
  await picture(page, `cluster-without-${node}`);
  saw(`${node} is lost, ${await heirs()}, and the talk goes on`);
}

await check(async (page) => {
  await logIn(page, 'vera@demo.example', 'demo-password');
  await page.getByTestId('tab-cluster').click();
  for (const node of ['a', 'b', 'c']) await page.locator(row(node, 'ready')).waitFor();
  await counts(page, '[data-testid=node-row]', 3);
  saw('three nodes');

  for (const node of ['a', 'b']) {
    await loses(page, node, () => page.locator('[data-testid=node-carries] .heir').first().innerText());
    await page.locator(`${row(node, 'lost')} [data-testid=revive]`).click();
    await page.locator(row(node, 'ready')).waitFor();
    await page.locator(event('event.returned', node)).first().waitFor();
    saw(`${node} is back`);
  }
  await picture(page, 'cluster');
});
