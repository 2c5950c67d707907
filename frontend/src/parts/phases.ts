import type { Rental } from "../bindings/marketplace";
import { h } from "../dom";
import { duration } from "../format";

const PATH = ["queued", "attesting", "running", "settling", "succeeded"];
const ENDS = ["cancelled", "expired", "failed"];
export const OVER = ["succeeded", ...ENDS];

/** The way of a rental, where it is now, and how long until its deadline. */
export function phases(rental: Rental): HTMLElement {
  const names = PATH.includes(rental.status) ? PATH : [...PATH.slice(0, -1), rental.status];
  const now = names.indexOf(rental.status);
  const steps = names.map((name, at) => {
    const state = at < now ? "done" : at > now ? "ahead" : OVER.includes(name) ? "end" : "now";
    return h("li", { class: state, "aria-current": at === now ? "step" : undefined }, h("span", {}, name));
  });
  return h("ol", { class: `phases ${ENDS.includes(rental.status) ? "ended" : ""}`, "aria-label": "Phases" }, steps);
}

/** Counts down to the rental's deadline; the text is renewed by `tick`. */
export function countdown(rental: Rental): HTMLElement | null {
  if (rental.deadline === undefined || OVER.includes(rental.status)) return null;
  const deadline = Number(rental.deadline / 1_000_000n);
  return h("span", { class: "countdown", "data-deadline": String(deadline) }, remaining(deadline));
}

export function tick(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-deadline]")) {
    element.textContent = remaining(Number(element.dataset.deadline));
  }
}

function remaining(deadline: number): string {
  const seconds = (deadline - Date.now()) / 1000;
  return seconds > 0 ? `${duration(seconds)} left` : "deadline passed";
}
