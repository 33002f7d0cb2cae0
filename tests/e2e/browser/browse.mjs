// One Chromium for all pages that are tested: `node browse.mjs ORDERS`, a JSON object on the command line.
//
// `page` signs `login` in: on the provider's page it is typed, and the browser comes back. Then `other` is opened, which
// only tries. Each one's `window.outcome`, then what came of a walk through the users' page at `app`, where `newcomer`
// signs in, is printed as one line of JSON.

import { launched } from "./chromium.mjs";
import { walk } from "./walk.mjs";

const orders = JSON.parse(process.argv[2]);

async function outcome(tab) {
  await tab.waitForFunction(() => window.outcome !== undefined, undefined, { timeout: 60_000 });
  console.log(JSON.stringify(await tab.evaluate(() => window.outcome)));
}

const browser = await launched();
try {
  const tab = await browser.newPage();
  tab.on("console", (message) => console.error(message.text()));
  await tab.goto(orders.page);
  await tab.fill("input[name=login]", orders.login);
  await tab.click("button");
  await outcome(tab);
  await tab.goto(orders.other);
  await outcome(tab);
  await tab.close();
  console.log(JSON.stringify(await walk(browser, orders)));
} finally {
  await browser.close();
}
