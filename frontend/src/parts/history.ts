import type { Event } from "../bindings/marketplace";
import { h } from "../dom";
import { clock, words } from "../format";

/** What happened to a rental, newest first. */
export function history(events: Event[]): HTMLElement {
  const rows = events.toReversed().map((event) =>
    h(
      "li",
      {},
      h("time", {}, clock(event.at)),
      h("span", {}, words(event.kind)),
      event.from !== event.to && h("span", { class: "muted" }, `${event.from || "new"} → ${event.to}`),
      event.reason && h("span", { class: "reason" }, event.reason),
    ),
  );
  return h(
    "section",
    { class: "card", "aria-labelledby": "history" },
    h("h2", { id: "history" }, "History"),
    h("ol", { class: "history" }, rows),
  );
}
