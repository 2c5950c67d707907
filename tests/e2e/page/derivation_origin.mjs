// A page asks for the identity that people have at another origin (ICRC-95), in bare messages, without a library.
// In: argv `origin derivationOrigin identityProvider chromium`. Out: the answer, as JSON.
import { chromium } from "playwright-core";

const [origin, derivationOrigin, provider, executablePath] = process.argv.slice(-4);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage();
page.setDefaultTimeout(20_000);
await page.goto(`${origin}/`);
await page.evaluate(
  ([provider, derivationOrigin]) => {
    const button = document.createElement("button");
    button.textContent = "ask";
    document.body.append(button);
    window.answers = {};
    window.addEventListener("message", (event) => (window.answers[event.data.id] = event.data));
    button.addEventListener("click", async () => {
      const signer = window.open(provider);
      const ask = async (id, method, params) => {
        while (window.answers[id] === undefined) {
          signer.postMessage({ jsonrpc: "2.0", id, method, params }, "*");
          await new Promise((resolve) => setTimeout(resolve, id === "delegation" ? 60_000 : 100));
        }
      };
      await ask("status", "icrc29_status");
      await ask("standards", "icrc25_supported_standards");
      await ask("unknown", "icrc49_call_canister");
      const key = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
      const der = new Uint8Array(await crypto.subtle.exportKey("spki", key.publicKey));
      const publicKey = btoa(String.fromCharCode(...der));
      await ask("delegation", "icrc34_delegation", { publicKey, icrc95DerivationOrigin: derivationOrigin });
    });
  },
  [provider, derivationOrigin],
);
const [popup] = await Promise.all([page.waitForEvent("popup"), page.getByText("ask").click()]);
await Promise.race([
  popup.locator("#cancel:not([hidden])").waitFor(),
  popup.locator("#problem:not(:empty)").waitFor(),
]);
const asked = await popup.locator("#request").innerText();
if (await popup.locator("#cancel").isVisible()) {
  await popup.getByLabel("New identity").fill("Alice");
  await popup.keyboard.press("Enter");
}
await page.waitForFunction(() => window.answers.delegation !== undefined);
console.log(JSON.stringify({ asked, ...(await page.evaluate(() => window.answers)) }));
await browser.close();
