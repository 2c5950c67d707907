import { h } from "../dom";

const TONES: Record<string, string> = {
  queued: "wait",
  attesting: "wait",
  running: "active",
  settling: "active",
  disputed: "warn",
  succeeded: "good",
  cancelled: "quiet",
  expired: "quiet",
  failed: "bad",
  valid: "good",
  invalid: "bad",
  unverifiable: "warn",
};

const SIGNS: Record<string, string> = { good: "✓", bad: "✕", warn: "?" };

/** A status or verdict in its colour; the word itself says everything. */
export function badge(word: string): HTMLElement {
  const tone = TONES[word] ?? "warn";
  const sign = SIGNS[tone] && ["valid", "invalid", "unverifiable"].includes(word) ? `${SIGNS[tone]} ` : "";
  return h("span", { class: `badge ${tone}` }, sign + word);
}

export function simulatedMark(): HTMLElement {
  return h("span", { class: "badge simulated" }, "SIMULATED");
}

/** Says loudly that no confidential machine stands behind what is shown. */
export function simulatedBanner(text: string): HTMLElement {
  return h("p", { class: "simulated-banner", role: "note" }, h("strong", {}, "SIMULATED"), " ", text);
}
