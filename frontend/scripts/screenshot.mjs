// Takes the README's screenshot of a rental that `leasehold demo --keep` left open:
//   cd frontend && node scripts/screenshot.mjs http://….localhost:PORT/#/rentals/0 renter ../docs/screenshot.png
import { chromium } from "playwright-core";

const [url, identity, target] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const context = await browser.newContext({ viewport: { width: 1120, height: 1060 }, deviceScaleFactor: 1.5 });
const page = await context.newPage();
await page.goto(url);
const [popup] = await Promise.all([
  page.waitForEvent("popup"),
  page.getByRole("button", { name: "Sign in", exact: true }).click(),
]);
await popup.getByRole("button", { name: identity }).click();
await page.locator(".claims").waitFor();
await page.locator(".plot canvas").waitFor();
await page.evaluate(() => document.fonts.ready);
await page.screenshot({ path: target });
await browser.close();
