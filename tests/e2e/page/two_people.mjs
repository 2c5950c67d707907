// Two people use the page in one browser, one after the other; what each of them saw is printed as JSON lines.
// In: argv `url chromium [screenshot]`. After "alice" it waits on stdin while the rental goes on.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [url, executablePath, screenshot] = process.argv.slice(-process.argv.length + 1).filter((word) => word !== "--");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (what, seen) => console.log(JSON.stringify({ what, ...seen }));

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
page.setDefaultTimeout(20_000);
const problems = [];
page.on("pageerror", (error) => problems.push(String(error)));
page.on("console", (message) => message.type() === "error" && problems.push(message.text()));

// With the keyboard alone, so that nobody needs a mouse.
async function askForSignIn() {
  await page.getByRole("button", { name: "Sign in", exact: true }).focus();
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.keyboard.press("Enter")]);
  await popup.getByText("asks you to sign in").waitFor();
  return popup;
}

// The window closes itself a moment after the answer; until then it would be used again.
const closed = (popup) => popup.isClosed() || popup.waitForEvent("close");

async function signOut() {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
}

async function signIn(name) {
  const popup = await askForSignIn();
  const marked = await popup.getByText("DEVELOPMENT").count();
  await popup.getByLabel("New identity").fill(name);
  await popup.keyboard.press("Enter");
  await page.locator("[data-principal]").waitFor();
  await closed(popup);
  return { marked, principal: await page.locator("[data-principal]").getAttribute("data-principal") };
}

async function rentals() {
  await page.getByRole("link", { name: "My rentals" }).first().click();
  await page.locator(".rows li, .empty").first().waitFor();
  return page.locator(".rows li").allInnerTexts();
}

async function rental(id) {
  await page.goto(`${url}/#/rentals/${id}`);
  await page.locator(".heading, [role=alert] .problem").first().waitFor();
}

const text = (selector) => page.locator(selector).allInnerTexts();
const caption = (step) => page.getByText(`Step ${step} of`).innerText();

await page.goto(url);
await page.getByRole("heading", { name: "Models on offer" }).waitFor();
say("stranger", { models: await text("article h3"), notice: await text(".notice"), rentals: await page.locator(".rows li").count() });

const alice = await signIn("Alice");
const rows = await rentals();
await page.locator(".row-link").first().click();
await page.locator(".claims").waitFor();
say("alice", {
  ...alice,
  rows,
  phase: await text("[aria-current=step]"),
  caption: await caption(20),
  points: await page.locator(".plot canvas").count(),
  claims: await text(".claims tbody tr"),
  simulated: await page.getByText("SIMULATED").count(),
});
await lines.next();
say("live", { caption: await caption(40), phase: await text("[aria-current=step]") });
if (screenshot) await page.screenshot({ path: screenshot, fullPage: true });
await page.setViewportSize({ width: 390, height: 800 });
await page.waitForFunction(() => document.querySelector(".plot canvas").clientWidth < 390);
say("phone", { overflow: await page.evaluate(() => document.documentElement.scrollWidth - innerWidth) });
await page.setViewportSize({ width: 1200, height: 900 });
await page.reload();
await page.locator("[data-principal]").waitFor();
say("reloaded", { principal: await page.locator("[data-principal]").getAttribute("data-principal") });

await signOut();
await page.getByText("Rentals are shown only to the one who rents.").waitFor();
say("signed out", { claims: await page.locator(".claims").count() });

const bob = await signIn("Bob");
const bobs = await rentals();
const before = problems.length;
await rental(0);
say("bob", { ...bob, rows: bobs, stranger: await text("[role=alert]"), claims: await page.locator(".claims").count() });
say("end", { problems: problems.slice(0, before) });

await signOut();
const chooser = await askForSignIn();
const offered = await chooser.locator("li strong").allInnerTexts();
await chooser.getByRole("button", { name: "Alice" }).press("Enter");
await page.locator("[data-principal]").waitFor();
await closed(chooser);
say("chosen", { offered, principal: await page.locator("[data-principal]").getAttribute("data-principal") });
await signOut();
// The window may be gone before the key is released.
await (await askForSignIn()).getByRole("button", { name: "Cancel" }).press("Enter").catch(() => undefined);
await page.locator("[role=alert] .problem").waitFor();
say("cancelled", { problem: await text("[role=alert]"), signedIn: await page.locator("[data-principal]").count() });
await browser.close();
