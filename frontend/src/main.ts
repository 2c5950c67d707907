import "./style.css";
import { loadConfig } from "./config";
import { h } from "./dom";
import { Market } from "./market";
import { Session } from "./session";
import { Shell } from "./shell";

async function start(root: HTMLElement): Promise<void> {
  const config = await loadConfig();
  const session = new Session(config.identityProvider);
  await session.restore();
  await new Shell(root, session, () => new Market(config, session.identity)).start();
}

const root = document.getElementById("app")!;
start(root).catch((error: unknown) => {
  root.replaceChildren(h("p", { class: "problem", role: "alert" }, `The page cannot start: ${String(error)}`));
});
