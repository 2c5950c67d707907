import type { AttestationRecord } from "../bindings/marketplace";
import { fact, h } from "../dom";
import { hex, moment, short, shortWords } from "../format";
import { badge, simulatedBanner } from "./badges";

/** What the canister verified of the machine: one row per claim, devices, and the whole record to keep. */
export function evidence(record: AttestationRecord, rental: bigint): HTMLElement {
  return h(
    "section",
    { class: "card", "aria-labelledby": "evidence" },
    h("h2", { id: "evidence" }, "Evidence the canister verified"),
    record.simulated &&
      simulatedBanner("This evidence is made under a development root. No confidential machine stands behind it."),
    claims(record),
    h(
      "dl",
      { class: "facts" },
      fact("CPU", record.cpu_kind),
      fact("Chip", code(record.chip_id)),
      fact("Measurement", code(record.measurement)),
      fact(record.gpus.length === 1 ? "GPU" : "GPUs", ...record.gpus.map((gpu) => h("div", {}, code(gpu)))),
      fact("Policy", record.policy),
      fact("Verified", moment(record.verified_at)),
      fact("Valid until", moment(record.expires_at)),
    ),
    raw(record, rental),
  );
}

function claims(record: AttestationRecord): HTMLElement {
  const rows = record.claims.map((claim) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, claim.name),
      h("td", {}, badge(claim.verdict)),
      h("td", { title: claim.expected }, shortWords(claim.expected)),
      h("td", { title: claim.found }, shortWords(claim.found)),
    ),
  );
  const head = ["Claim", "Verdict", "Expected", "Found"].map((name) => h("th", { scope: "col" }, name));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Claims" },
    h("table", { class: "claims" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
  );
}

function raw(record: AttestationRecord, rental: bigint): HTMLElement {
  const text = JSON.stringify(record, plain, 2);
  const download = `data:application/json;charset=utf-8,${encodeURIComponent(text)}`;
  return h(
    "details",
    {},
    h("summary", {}, "The whole record"),
    h("p", {}, h("a", { href: download, download: `rental-${rental}-attestation.json` }, "Download as JSON")),
    h("pre", { tabindex: "0" }, text),
  );
}

function plain(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return hex(value);
  return value !== null && typeof value === "object" && "toText" in value ? String(value) : value;
}

function code(text: string): HTMLElement {
  return h("code", { title: text }, short(text, 16, 8));
}
