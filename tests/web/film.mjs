// A film of the demo while one of its nodes dies: `scripts/film` runs it and makes one file of the frames. What is
// killed is a process, by its number, as a hand at a terminal would do it.

import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { check, logIn, saw } from './browser.mjs';

const { MANGROVE_PICTURES: folder, FILM_NODE: node, FILM_PID: pid } = process.env;
const EVERY_MS = 500;
const BEFORE_MS = 2000;
const AFTER_MS = 12_000;
/** Enough talks to be worth a look. */
const TALKS = 3;

/** A line above the page: what the hand at the terminal did, and when. */
async function caption(page, text) {
  await page.evaluate((line) => {
    const bar = document.getElementById('film') ?? document.body.insertAdjacentElement('afterbegin', document.createElement('pre'));
    bar.id = 'film';
    bar.style.cssText = 'margin:0;padding:8px 14px;background:#111;color:#7fdc8f;font:14px monospace';
    bar.textContent = line;
  }, text);
}

async function frame(views, number, text) {
  for (const [name, page] of Object.entries(views)) {
    if (name === 'cluster') await caption(page, text);
    await page.screenshot({ path: join(folder, `${name}-${String(number).padStart(3, '0')}.png`) });
  }
}

await check(async (cluster) => {
  await mkdir(folder, { recursive: true });
  await cluster.setViewportSize({ width: 1280, height: 560 });
  await logIn(cluster, 'vera@demo.example', 'demo-password');
  const floor = await cluster.context().browser().newPage({ viewport: { width: 1280, height: 560 } });
  await logIn(floor, 'vera@demo.example', 'demo-password');
  await floor.getByTestId('supervisor').waitFor();
  await cluster.getByTestId('tab-cluster').click();
  await cluster.waitForFunction(
    (talks) => Number(document.querySelector('[data-testid=cluster-talking]')?.textContent) >= talks,
    TALKS,
    { timeout: 120_000 },
  );
  const views = { cluster, floor };
  const begin = Date.now();
  let killed;
  for (let number = 0; Date.now() < begin + BEFORE_MS + AFTER_MS; number += 1) {
    const due = begin + number * EVERY_MS;
    await cluster.waitForTimeout(Math.max(0, due - Date.now()));
    if (killed === undefined && Date.now() >= begin + BEFORE_MS) {
      execFileSync('kill', ['-9', pid]);
      killed = Date.now();
    }
    const past = killed === undefined ? '' : `   # ${((Date.now() - killed) / 1000).toFixed(1)} s ago: process ${pid} is node ${node}`;
    await frame(views, number, killed === undefined ? '$' : `$ kill -9 ${pid}${past}`);
  }
  await writeFile(join(folder, 'killed'), new Date(killed).toISOString());
  saw(`node ${node} was killed, and the film is there`);
});
