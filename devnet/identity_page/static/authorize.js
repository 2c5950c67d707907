// The signer's side of ICRC-29 (window messages), ICRC-25 (permissions), ICRC-34 (delegation), ICRC-95 (derivation origin).

const STANDARDS = ["ICRC-25", "ICRC-29", "ICRC-34", "ICRC-95"];
const NOT_SUPPORTED = 2000;
const NOT_GRANTED = 3000;
const ABORTED = 3001;

const element = (id) => document.getElementById(id);
const opener = window.opener;
let pending = null;

window.addEventListener("message", (event) => {
  const request = event.data;
  if (!opener || event.source !== opener || request?.jsonrpc !== "2.0" || typeof request.method !== "string") return;
  const answer = (content) => {
    if (request.id !== undefined) opener.postMessage({ jsonrpc: "2.0", id: request.id, ...content }, event.origin);
  };
  handle(request, event.origin, answer).catch((error) => {
    explain(error.message);
    answer({ error: { code: NOT_GRANTED, message: error.message } });
  });
});

async function handle(request, origin, answer) {
  switch (request.method) {
    case "icrc29_status":
      return answer({ result: "ready" });
    case "icrc25_supported_standards":
      return answer({ result: { supportedStandards: STANDARDS.map(standard) } });
    case "icrc25_permissions":
    case "icrc25_request_permissions":
      return answer({ result: { scopes: [{ scope: { method: "icrc34_delegation" }, state: "granted" }] } });
    case "icrc34_delegation":
      return ask(request.params ?? {}, origin, answer);
    default:
      return answer({ error: { code: NOT_SUPPORTED, message: `${request.method} is not supported` } });
  }
}

function standard(name) {
  const page = name.toLowerCase().replace("-", "_");
  return { name, url: `https://github.com/dfinity/wg-identity-authentication/blob/main/topics/${page}.md` };
}

async function ask(params, origin, answer) {
  const derivation = await derivationOrigin(params.icrc95DerivationOrigin, origin);
  pending = { params, origin: derivation, answer };
  const shared = derivation === origin ? "" : `, with the identity it has at ${derivation}`;
  element("request").textContent = `${origin} asks you to sign in${shared}.`;
  element("cancel").hidden = false;
  await show();
}

// An application may use the identity of another origin only if that origin says so.
async function derivationOrigin(wanted, origin) {
  if (wanted === undefined || wanted === origin) return origin;
  const response = await fetch(`${new URL(wanted).origin}/.well-known/ii-alternative-origins`, { redirect: "error" });
  const allowed = (await response.json()).alternativeOrigins;
  if (!Array.isArray(allowed) || !allowed.includes(origin)) throw new Error(`${wanted} does not list ${origin} as an alternative origin`);
  return new URL(wanted).origin;
}

async function show() {
  const query = pending ? `?origin=${encodeURIComponent(pending.origin)}` : "";
  const identities = await (await fetch(`/identities${query}`)).json();
  element("empty").hidden = identities.length > 0;
  element("identities").replaceChildren(...identities.map(row));
  (document.querySelector("#identities button:enabled") ?? element("name")).focus();
}

function row(identity) {
  const button = document.createElement("button");
  button.type = "button";
  button.disabled = pending === null;
  const name = document.createElement("strong");
  name.textContent = identity.name;
  button.append(name);
  if (identity.principal) {
    const principal = document.createElement("code");
    principal.textContent = identity.principal;
    button.append(principal);
  }
  button.addEventListener("click", () => signIn(identity.name).catch((error) => explain(error.message)));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

async function signIn(name) {
  if (pending === null) return;
  const { params, origin, answer } = pending;
  const { publicKey, maxTimeToLive, targets } = params;
  const result = await post("/delegation", { name, origin, publicKey, maxTimeToLive, targets });
  pending = null;
  answer({ result });
}

async function post(path, content) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(content),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

function explain(problem) {
  element("problem").textContent = problem;
}

element("create").addEventListener("submit", async (event) => {
  event.preventDefault();
  explain("");
  try {
    const name = element("name").value.trim();
    await post("/identities", { name });
    element("name").value = "";
    await (pending ? signIn(name) : show());
  } catch (error) {
    explain(error.message);
  }
});

element("cancel").addEventListener("click", () => {
  pending?.answer({ error: { code: ABORTED, message: "the user cancelled" } });
  window.close();
});

show().catch((error) => explain(error.message));
